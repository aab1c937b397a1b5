import { expect, test } from 'vitest';
import { measured, nominal } from './frame-rate';

test.each([
	[[29, 33, 30, 31, 29], 30],
	[[33, 33, 33], 30],
	[[23.98, 23.98, 23.98], 24],
	[[24.8, 25.2, 25], 25],
	[[49, 51, 50], 50],
	[[57, 60, 61], 60],
	[[12.4, 12.4, 12], 12],
	[[144, 144, 144], 144],
	[[30, 30, 30, 0, 12], 30],
	[[0, 0, 30], null],
	[[12, 30], null],
	[[], null]
])('frames a second measured as %j are called %j', (rates, name) => expect(nominal(rates)).toBe(name));

test('only the last seconds count, so that another rate is seen soon', () => {
	let rates: readonly number[] = [];
	for (let second = 0; second < 60; second++) rates = measured(rates, 30);
	for (let second = 0; second < 8; second++) rates = measured(rates, 60);
	expect(nominal(rates)).toBe(60);
	expect(measured([30], null)).toEqual([30]);
});
