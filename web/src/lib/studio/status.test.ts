import type { StreamStatus } from '$lib/api';
import { expect, test } from 'vitest';
import { reduce, START, type Reduced } from './status';

const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

function said(state: StreamStatus['state'], refusedAt?: number): StreamStatus {
	const last_refusal = refusedAt === undefined ? null : { at: at(refusedAt), reason: 'the key is not known' };
	return { state, disabled: false, live: null, last_refusal, health: null, advice: [], ladder: null };
}

/** The phases after each answer. */
function story(...answers: StreamStatus[]): string[] {
	let state: Reduced = START;
	return answers.map((status) => {
		state = reduce(state, status, NOW);
		return state.phase;
	});
}

test('a stream that nobody sends to waits, and becomes live', () => {
	expect(story(said('idle'), said('idle'), said('live'))).toEqual(['waiting', 'waiting', 'live']);
});

test('a refusal is shown until the picture is there', () => {
	expect(story(said('idle'), said('idle', 1), said('live', 1), said('idle', 1))).toEqual([
		'waiting',
		'refused',
		'live',
		'ended'
	]);
});

test('a refusal from before the page was opened counts only if it is fresh', () => {
	expect(story(said('idle', -60))).toEqual(['refused']);
	expect(story(said('idle', -3600), said('idle', -3600), said('idle', 5))).toEqual([
		'waiting',
		'waiting',
		'refused'
	]);
});

test('an encoder that comes back with a key that was changed is told so', () => {
	expect(story(said('live'), said('waiting'), said('idle', 9))).toEqual(['live', 'lost', 'refused']);
	expect(reduce(reduce(START, said('live'), NOW), said('waiting', 3), NOW).refusal?.reason).toBe(
		'the key is not known'
	);
});

test('before the first picture an encoder is connected, not lost', () => {
	const seen = {
		broadcast_id: 'b',
		started_at: at(-9),
		viewers: 0,
		protocol: null,
		width: 640,
		height: 360,
		frame_rate: null,
		video_codec: null,
		audio_codec: null,
		bitrate: null,
		video_tracks: 1,
		audio_tracks: 0
	};
	expect(story(said('idle'), said('waiting'), said('live'), said('waiting'))).toEqual([
		'waiting',
		'connecting',
		'live',
		'lost'
	]);
	expect(story({ ...said('waiting'), live: seen })).toEqual(['lost']);
});

test('a stream that is switched off says that first', () => {
	expect(reduce(START, { ...said('idle', -1), disabled: true }, NOW).phase).toBe('disabled');
});
