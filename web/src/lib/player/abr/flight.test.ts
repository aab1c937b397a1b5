import { describe, expect, test } from 'vitest';
import { tooSlow, worthLeaving } from './flight';

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

describe('a segment of two seconds, of which a part is late', () => {
	const place = { rate: 800e3, bitrate: 1.5e6, instead: 450e3, begun: 1 / 3, left: 5 / 3, missing: 50_000 };

	test('is left at its beginning', () => expect(worthLeaving(place)).toBe(true));

	test('is played out near its end, where another quality would be loaded from its beginning', () => {
		expect(worthLeaving({ ...place, begun: 2, left: 0 })).toBe(false);
	});

	test('is left anywhere when nothing comes', () => {
		expect(worthLeaving({ ...place, rate: 0, begun: 2, left: 0 })).toBe(true);
	});

	test('is left also late when the link is far too slow for it', () => {
		expect(worthLeaving({ ...place, bitrate: 20e6, begun: 5 / 3, left: 1 / 3, missing: 800_000 })).toBe(true);
	});
});
