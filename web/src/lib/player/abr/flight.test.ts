import { expect, test } from 'vitest';
import { tooSlow } from './flight';

const flight = { elapsed: 0.2, waited: 0.02, loaded: 15_000, expected: 100_000, media: 1 / 3 };

test('a part that will come after the buffer is empty is too slow, at the rate it comes', () => {
	expect(tooSlow(flight, 0.5)).toBeCloseTo((15_000 * 8) / 0.18, -3);
});

test('a slow part is waited for while the buffer lasts', () => {
	expect(tooSlow(flight, 5)).toBeNull();
});

test('a part that comes faster than it plays is in time, however little is left', () => {
	expect(tooSlow({ ...flight, loaded: 90_000 }, 0.1)).toBeNull();
});

test('nothing is said of a rate before there is one', () => {
	expect(tooSlow({ ...flight, elapsed: 0.05 }, 0.1)).toBeNull();
	expect(tooSlow({ ...flight, waited: null, loaded: 0 }, 0.1)).toBeNull();
});

test('silence is too slow once there is nothing left to play', () => {
	const silent = { ...flight, waited: null, loaded: 0, elapsed: 0.8 };
	expect(tooSlow(silent, 0.1)).toBe(0);
	expect(tooSlow(silent, 1)).toBeNull();
});
