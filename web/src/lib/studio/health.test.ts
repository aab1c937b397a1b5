import type { HealthSample } from '$lib/api';
import { expect, test } from 'vitest';
import { appended, breaches, columns, minutes } from './health';
import { sentence } from './health-words';

const START = Date.parse('2026-11-21T12:00:00.000Z');

/** Samples of a steady source, some seconds of which are changed; `null` takes a second away. */
function source(length: number, change: Record<number, Partial<HealthSample> | null> = {}): HealthSample[] {
	return Array.from({ length }, (_, second) => second)
		.filter((second) => change[second] !== null)
		.map((second) => ({
			at: new Date(START + second * 1000).toISOString(),
			bitrate: 4_000_000,
			frame_rate: 30,
			keyframe_ms: 2000,
			backlog_ms: 40,
			timestamp_jumps: 0,
			...change[second]
		}));
}

const during = (from: number, to: number, change: Partial<HealthSample> | null) =>
	Object.fromEntries(Array.from({ length: to - from }, (_, at) => [from + at, change]));

test('a steady source has no breach', () => {
	expect(breaches(source(120))).toEqual([]);
	expect(breaches([])).toEqual([]);
});

test('one odd second is nothing, several are a breach with their worst value', () => {
	expect(breaches(source(60, { 20: { bitrate: 500_000 } }))).toEqual([]);
	const [breach, ...rest] = breaches(
		source(60, { ...during(20, 26, { bitrate: 1_000_000 }), 22: { bitrate: 400_000 } })
	);
	expect(rest).toEqual([]);
	expect(breach).toEqual({
		kind: 'bitrate',
		from: START + 20_000,
		to: START + 26_000,
		worst: 400_000,
		usual: 4_000_000
	});
});

test('seconds that are missing or empty are a silence, not a low bit rate', () => {
	const found = breaches(
		source(60, { ...during(10, 15, null), ...during(30, 34, { bitrate: 0, frame_rate: 0 }) })
	);
	expect(found.map(({ kind, worst }) => [kind, worst])).toEqual([
		['silence', 5],
		['silence', 4]
	]);
});

test('rare key frames and few frames are told apart', () => {
	const found = breaches(
		source(90, { ...during(10, 20, { keyframe_ms: 8000 }), ...during(40, 50, { frame_rate: 12 }) })
	);
	expect(found.map(({ kind }) => kind)).toEqual(['key_frames', 'frame_rate']);
});

test('every breach reads as a sentence with what to do', () => {
	const found = breaches(
		source(90, {
			...during(5, 9, null),
			...during(10, 20, { keyframe_ms: 8000 }),
			...during(30, 40, { frame_rate: 12 }),
			...during(50, 60, { bitrate: 900_000 }),
			...during(62, 66, { backlog_ms: 1500 }),
			...during(70, 90, { timestamp_jumps: 2 })
		})
	);
	expect(found.map((breach) => sentence(breach).what)).toEqual([
		'Nothing arrived for 4 s.',
		'Key frames came only every 8 s.',
		'The frame rate fell to 12 of 30 frames a second for 10 s.',
		'The bit rate fell to 900 kb/s, from 4.0 Mb/s, for 10 s.',
		'The picture came late for 4 s: up to 1.5 s of it waited to be sent.',
		'The encoder’s time stamps jumped 2 times.'
	]);
	for (const breach of found) expect(sentence(breach).help).toMatch(/\.$/);
});

test('a table has a row for each minute, the newest first', () => {
	const rows = minutes(source(90, { 61: { bitrate: 1_000_000, backlog_ms: 900 } }));
	expect(rows.map(({ at }) => at)).toEqual([START + 60_000, START]);
	expect(rows[0]?.bitrate?.least).toBe(1_000_000);
	expect(rows[0]?.backlog).toBe(900);
	expect(rows[1]).toEqual({
		at: START,
		bitrate: { least: 4_000_000, mean: 4_000_000 },
		frameRate: 30,
		keyFrames: 2,
		backlog: 40
	});
});

test('a line breaks where seconds are missing', () => {
	const { at, bitrate } = columns(source(6, during(2, 5, null)));
	expect(at.map((second) => second - START / 1000)).toEqual([0, 1, 2, 5]);
	expect(bitrate).toEqual([4_000_000, 4_000_000, null, 4_000_000]);
});

test('the newest second is added once and the oldest leave', () => {
	const samples = source(3);
	const newest = { ...samples[2], at: new Date(START + 3000).toISOString() } as HealthSample;
	const grown = appended(samples, newest, START + 1000);
	expect(grown.map(({ at }) => Date.parse(at) - START)).toEqual([1000, 2000, 3000]);
	expect(appended(grown, newest, START)).toBe(grown);
});
