import { expect, test } from 'vitest';
import { ServerClock } from './clock';

test('the offset is the server time minus the middle of the round trip', () => {
	const clock = new ServerClock();
	clock.observe(1000, 1020, 5010);
	expect(clock.now(2000)).toBe(6000);
});

test('a slower answer does not spoil a quick one', () => {
	const clock = new ServerClock();
	clock.observe(1000, 1002, 1001);
	clock.observe(2000, 2800, 2790);
	expect(clock.now(3000)).toBe(3000);
});

test('an old quick answer gives way to a slower one', () => {
	const clock = new ServerClock();
	clock.observe(1000, 1002, 1001);
	clock.observe(600_000, 600_040, 600_120);
	expect(clock.now(600_100)).toBe(600_200);
});

test('it does not claim to know before the first answer', () => {
	expect(new ServerClock().known).toBe(false);
});
