import { expect, test } from 'vitest';
import { assumed, first, lines, most, type Rung } from './rungs';

const rung = (height: number, bitrate: number): Rung => ({
	name: `${height}`,
	bitrate,
	width: Math.round((height * 16) / 9),
	height
});
const ladder = [rung(240, 400e3), rung(480, 1.2e6), rung(720, 2.5e6), rung(1080, 6e6)];

test('a small player gets no more picture than it can show', () => {
	expect(most(ladder, { width: 640, height: 360 }, false)).toBe(1);
	expect(most(ladder, { width: 1280, height: 720 }, false)).toBe(2);
	expect(most(ladder, { width: 3840, height: 2160 }, false)).toBe(3);
});

test('a player without a size yet limits nothing', () => {
	expect(most(ladder, { width: 0, height: 0 }, false)).toBe(3);
});

test('data saver ends at 480p, also where that is a portrait', () => {
	expect(most(ladder, { width: 1920, height: 1080 }, true)).toBe(1);
	const portrait = ladder.map(({ width, height, ...rest }) => ({ ...rest, width: height, height: width }));
	expect(most(portrait, { width: 1080, height: 1920 }, true)).toBe(1);
	expect(lines(portrait[1] as Rung)).toBe(480);
});

test('data saver takes the least where nothing is little', () => {
	expect(most([rung(720, 2e6), rung(1080, 6e6)], { width: 1920, height: 1080 }, true)).toBe(0);
	expect(most([rung(480, 4e6)], { width: 0, height: 0 }, true)).toBe(0);
});

test('the beginning leaves room on the link', () => {
	expect(first(ladder, 10e6, 3)).toBe(3);
	expect(first(ladder, 6e6, 3)).toBe(2);
	expect(first(ladder, 10e6, 1)).toBe(1);
	expect(first(ladder, 100e3, 3)).toBe(0);
});

test('the last visit is believed before the browser, and a wish to save data before both', () => {
	expect(assumed(8e6, { downlink: 1.5, effectiveType: '3g' })).toBe(8e6);
	expect(assumed(null, { downlink: 1.5, effectiveType: '3g' })).toBeCloseTo(1.05e6);
	expect(assumed(null, { downlink: 1.5, effectiveType: '4g' })).toBe(3e6);
	expect(assumed(null, { downlink: 10 })).toBe(7e6);
	expect(assumed(null, undefined)).toBe(3e6);
	expect(assumed(8e6, { saveData: true })).toBe(1e6);
});
