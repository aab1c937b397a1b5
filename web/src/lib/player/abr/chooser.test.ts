import { describe, expect, test } from 'vitest';
import { Chooser } from './chooser';
import { tooSlow, worthLeaving } from './flight';
import { Meter } from './meter';
import { assumed, type Rung } from './rungs';

const rung = (height: number, bitrate: number): Rung => ({
	name: `${height}p`,
	bitrate,
	width: Math.round((height * 16) / 9),
	height
});
const LADDER = [rung(240, 400e3), rung(480, 1.2e6), rung(720, 2.6e6), rung(1080, 5e6)];
const calm = { bandwidth: 50e6, load: 0.05, buffer: 0.5 };

function chooser(at = 0, rungs = LADDER) {
	const value = new Chooser();
	value.rungs = rungs;
	for (const { name } of rungs) value.works(name);
	value.moved(at);
	return value;
}

/** Feeds the same reading four times a second for some seconds. */
function during(
	value: Chooser,
	from: number,
	seconds: number,
	reading: Omit<Parameters<Chooser['choose']>[0], 'now'>
) {
	for (let now = from; now <= from + seconds; now += 0.25) value.choose({ now, ...reading });
	return value.at;
}

test('with room it climbs to the top, a rung at a time', () => {
	const value = chooser();
	expect(during(value, 0, 3, calm)).toBe(1);
	expect(during(value, 3.25, 10, calm)).toBe(3);
});

test('room for a moment is no reason to climb', () => {
	const value = chooser();
	for (let now = 0; now < 40; now += 2) {
		during(value, now, 1.5, calm);
		value.choose({ now: now + 1.75, ...calm, load: 0.7 });
	}
	expect(value.at).toBe(0);
});

test('nothing is chosen in which nobody has seen media, and the worst of it is looked at first', () => {
	const value = new Chooser();
	value.rungs = LADDER;
	value.works('240p');
	expect(during(value, 0, 20, calm)).toBe(0);
	expect(value.unseen(20)?.name).toBe('480p');
	value.works('480p');
	expect(during(value, 20, 20, calm)).toBe(1);
});

test('a rung that fails is left for the next below, and tried again later and later', () => {
	const value = chooser(2);
	value.fails('720p', 10);
	expect(value.choose({ now: 10, ...calm })).toBe(1);
	expect(during(value, 10, 7, calm)).toBe(3);
	expect(value.unseen(12)).toBeUndefined();
	expect(value.unseen(19)?.name).toBe('720p');
	value.fails('720p', 19);
	expect(value.unseen(30)).toBeUndefined();
	expect(value.unseen(36)?.name).toBe('720p');
});

test('when the worst fails, the next above is better than nothing', () => {
	const value = chooser(0);
	value.fails('240p', 10);
	expect(value.choose({ now: 10, ...calm })).toBe(1);
});

test('when everything fails it stays where it is', () => {
	const value = chooser(1);
	for (const { name } of LADDER) value.fails(name, 10);
	expect(value.choose({ now: 10, ...calm })).toBe(1);
});

test('data saver turned on leads down at once, and no further up', () => {
	const value = chooser(3);
	value.limit({ width: 1920, height: 1080 }, true);
	expect(value.choose({ now: 0, ...calm })).toBe(1);
	expect(during(value, 0, 60, calm)).toBe(1);
	value.limit({ width: 1920, height: 1080 }, false);
	expect(during(value, 60, 20, calm)).toBe(3);
});

test('what hardly loads in time is left for what the link carries', () => {
	expect(chooser(3).choose({ now: 0, bandwidth: 4e6, load: 0.9, buffer: 0.4 })).toBe(2);
	expect(chooser(3).choose({ now: 0, bandwidth: 1e6, load: 0.9, buffer: 0.4 })).toBe(0);
});

test('with seconds in the buffer only what falls behind is left', () => {
	expect(chooser(3).choose({ now: 0, bandwidth: 4e6, load: 0.9, buffer: 6 })).toBe(3);
	expect(chooser(3).choose({ now: 0, bandwidth: 4e6, load: 1.1, buffer: 6 })).toBe(2);
});

test('in a hurry it goes as far down as leaves room to catch up', () => {
	expect(chooser(3).hurry({ now: 0, bandwidth: 3e6, load: 2, buffer: 0.1 })).toBe(1);
	expect(chooser(3).hurry({ now: 0, bandwidth: 0, load: 2, buffer: 0.1 })).toBe(0);
});

test('a rung that was a mistake is left alone for longer each time', () => {
	const value = chooser(2);
	const climbs: number[] = [];
	let at = 2;
	for (let now = 0; now < 200; now += 0.25) {
		if (value.at > at) climbs.push(now);
		at = value.at;
		// The top rung never fits, though the link looks wide while the one below is played.
		if (at === 3) value.choose({ now, bandwidth: 4e6, load: 0.95, buffer: 0.3 });
		else value.choose({ now, ...calm });
	}
	const waits = climbs.slice(1).map((climb, place) => climb - (climbs[place] ?? 0));
	expect(climbs.length).toBeLessThan(7);
	expect(waits).toEqual(waits.toSorted((a, b) => a - b));
});

test('the place is kept when the list of rungs changes', () => {
	const value = chooser(2);
	value.rungs = LADDER.slice(1);
	expect(value.at).toBe(1);
});

test('a beginning on a rung that fails goes to one that works', () => {
	const value = chooser();
	value.fails('720p', 0);
	expect(value.begin(5e6, 0)).toBe(1);
});

interface Watched {
	at: (t: number) => number | undefined;
	changes: number;
	longest: number;
	last: number;
}

/**
 * A viewer at the live edge: parts of a third of a second, key frames every two seconds, loads one after another over a
 * link of `link(t)` bits per second. A change of quality loads from the last key frame on.
 */
function watch(link: (t: number) => number, seconds: number, bandwidth = 10e6): Watched {
	const part = 1 / 3;
	const value = chooser();
	const meter = new Meter();
	const seen: { t: number; at: number }[] = [];
	const stalls: number[] = [];
	let playhead = -0.4;
	let next = 0;
	let loading: { place: number; at: number; since: number; bits: number; whole: number } | null = null;
	let stall = 0;
	value.begin(bandwidth, 0);
	const step = 0.01;
	for (let t = 0; t < seconds; t += step) {
		const buffer = next * part - playhead;
		if (buffer > step) {
			playhead += step;
			if (stall > 0) stalls.push(stall);
			stall = 0;
		} else if (next > 0) stall += step;
		const reading = (bits: number | null) => ({ now: t, bandwidth: bits, load: meter.load, buffer });
		if (!loading && (next + 1) * part <= t) {
			const before = value.at;
			if (next % 6 === 0) value.choose(reading(meter.bits));
			if (value.at !== before) meter.moved();
			const key = value.at === (seen.at(-1)?.at ?? value.at) ? next : next - (next % 6);
			if (seen.at(-1)?.at !== value.at) seen.push({ t, at: value.at });
			const whole = (LADDER[value.at]?.bitrate ?? 0) * part * (next - key + 1);
			loading = { place: next, at: value.at, since: t, bits: 0, whole };
		}
		if (!loading) continue;
		const elapsed = t - loading.since;
		if (elapsed > 0.02) loading.bits += link(t) * step;
		const flight = {
			elapsed,
			waited: elapsed > 0.03 ? 0.02 : null,
			loaded: loading.bits / 8,
			expected: loading.whole / 8,
			media: part
		};
		const slow = loading.at > 0 ? tooSlow(flight, buffer) : null;
		if (loading.bits >= loading.whole) {
			meter.add({
				bytes: loading.whole / 8,
				seconds: Math.max(0.001, elapsed - 0.02),
				whole: elapsed,
				media: part
			});
			next = loading.place + 1;
			loading = null;
		} else if (slow !== null) {
			meter.restart(slow);
			const place = {
				rate: slow,
				bitrate: LADDER[loading.at]?.bitrate ?? 0,
				instead: LADDER[value.refuge(reading(slow))]?.bitrate ?? 0,
				begun: ((loading.place % 6) + 1) * part,
				left: (5 - (loading.place % 6)) * part,
				missing: (loading.whole - loading.bits) / 8
			};
			if (!worthLeaving(place)) continue;
			value.hurry(reading(slow));
			if (value.at !== loading.at) loading = null;
		}
	}
	if (stall > 0) stalls.push(stall);
	const at = (t: number) => seen.findLast((change) => change.t <= t)?.at;
	return { at, changes: seen.length - 1, longest: Math.max(0, ...stalls), last: value.at };
}

describe('a viewer at the live edge', () => {
	test('on fibre begins well and stays at the source', () => {
		const { at, longest } = watch(() => 100e6, 60);
		expect(at(20)).toBe(3);
		expect(longest).toBe(0);
	});

	test.each([0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8])(
		'whose link falls to 1 Mb/s is down within seconds and stands still for less than one (%d)',
		(phase) => {
			const { at, longest, last } = watch((t) => (t < 20 + phase ? 50e6 : 1e6), 60);
			expect(at(19)).toBe(3);
			expect(at(24)).toBe(0);
			expect(last).toBe(0);
			expect(longest).toBeLessThan(1);
		}
	);

	test('goes up again when the link returns, and stays', () => {
		const { at, changes } = watch((t) => (t > 20 && t < 40 ? 800e3 : 50e6), 120);
		expect(at(39)).toBe(0);
		expect(at(65)).toBe(3);
		expect(changes).toBeLessThan(8);
	});

	test.each([1e6, 2e6, 3e6, 4e6, 6e6])('on a steady %d b/s does not flap', (bits) => {
		const { changes, longest } = watch(() => bits, 300, bits);
		expect(changes).toBeLessThan(6);
		expect(longest).toBeLessThan(1);
	});

	test('on a train, where the link goes up and down all the time, is not shaken with it', () => {
		const { changes, longest } = watch((t) => (t % 10 < 5 ? 6e6 : 1.6e6), 300);
		expect(changes).toBeLessThan(30);
		expect(longest).toBeLessThan(1);
	});

	test('begins low who wants to save data', () => {
		expect(watch(() => 100e6, 1, assumed(null, { saveData: true })).at(0.5)).toBe(0);
	});
});
