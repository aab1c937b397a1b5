import { expect, test } from 'vitest';
import { RetryLadder } from './retry';

test('it starts at half a second, doubles, and stays at eight', () => {
	const ladder = new RetryLadder(() => 0.5);
	expect(Array.from({ length: 6 }, () => ladder.next())).toEqual([500, 1000, 2000, 4000, 8000, 8000]);
});

test('after success it starts over', () => {
	const ladder = new RetryLadder(() => 0.5);
	ladder.next();
	ladder.next();
	ladder.reset();
	expect(ladder.next()).toBe(500);
});

test('two viewers do not come back in the same instant', () => {
	expect(new RetryLadder(() => 0).next()).not.toBe(new RetryLadder(() => 1).next());
});
