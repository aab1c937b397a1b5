import { expect, test } from 'vitest';
import { behindLive, Pacer } from './latency';

/** Plays a stream of parts for `seconds`; what arrives is `late` seconds after it was complete. */
function simulate(options: { part: number; start: number; seconds: number; late?: (n: number) => number }) {
	const { part, start, seconds, late = () => 0.02 } = options;
	const pacer = new Pacer();
	let playhead = -start;
	let rate = 1;
	let stalls = 0;
	let fastest = 1;
	const step = 0.05;
	for (let t = 0; t < seconds; t += step) {
		let edge = 0;
		for (let n = Math.floor(t / part); n >= 0 && n > t / part - 10; n--) {
			if ((n + 1) * part + late(n) <= t) {
				edge = (n + 1) * part;
				break;
			}
		}
		const buffer = edge - playhead;
		if (buffer < step * rate) {
			stalls++;
			pacer.stalled(t);
		} else {
			playhead += step * rate;
		}
		const advice = pacer.advise({ now: t, buffer: edge - playhead, grain: part, latency: t - playhead });
		if ('rate' in advice) rate = advice.rate;
		else {
			playhead = edge - part;
			pacer.restart();
		}
		fastest = Math.max(fastest, rate);
	}
	return { latency: seconds - playhead, stalls, fastest };
}

test('a viewer who joined two seconds behind ends up near live without a stall', () => {
	const { latency, stalls } = simulate({ part: 1 / 3, start: 2, seconds: 60 });
	expect(latency).toBeLessThan(0.75);
	expect(stalls).toBe(0);
});

test('smaller parts bring the viewer nearer', () => {
	expect(simulate({ part: 0.2, start: 2, seconds: 60 }).latency).toBeLessThan(0.6);
});

test('speech stays natural: never more than eight per cent faster', () => {
	expect(simulate({ part: 1 / 3, start: 5, seconds: 60 }).fastest).toBeLessThanOrEqual(1.08);
});

test('someone far behind jumps instead of running after the stream for minutes', () => {
	expect(simulate({ part: 1 / 3, start: 30, seconds: 20 }).latency).toBeLessThan(2);
});

test('arrivals that jitter cost reserve once, not a stall each time', () => {
	const late = (n: number) => (n % 7 === 0 ? 0.45 : 0.02);
	const { stalls, latency } = simulate({ part: 1 / 3, start: 1, seconds: 120, late });
	expect(stalls).toBeLessThan(8);
	expect(latency).toBeLessThan(1.5);
});

test('after calm minutes the reserve shrinks again', () => {
	const pacer = new Pacer();
	const usual = pacer.reserve;
	pacer.stalled(0);
	expect(pacer.reserve).toBeGreaterThan(usual);
	for (let now = 1; now < 400; now++) pacer.advise({ now, buffer: 0.5, grain: 0.33, latency: 1 });
	expect(pacer.reserve).toBe(usual);
});

test('latency is the server clock minus the stamp of the picture', () => {
	expect(behindLive(10_800, 10_000)).toBe(0.8);
	expect(behindLive(10_800, null)).toBeNull();
});
