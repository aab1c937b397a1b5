import { expect, test } from 'vitest';
import type { Level } from './engine';
import { byQuality, offersSoundAlone, quality, same, sameSound, sound } from './quality';

const level = (width: number, height: number, frameRate: number | null, source = false): Level => ({
	id: 0,
	width,
	height,
	frameRate,
	bitrate: 1e6,
	source
});

test.each([
	[level(1920, 1080, 60), '1080p60'],
	[level(1920, 1080, 59.94), '1080p60'],
	[level(1280, 720, 30), '720p'],
	[level(1280, 720, 29.97), '720p'],
	[level(854, 480, null), '480p'],
	[level(720, 1280, 30), '720p'],
	[level(0, 360, 50), '360p50']
])('a quality has a short name', (value, name) => expect(quality(value)).toBe(name));

test('the best quality is listed first', () => {
	const list = [level(640, 360, 30), level(1920, 1080, 30), level(1920, 1080, 60)];
	expect(list.toSorted(byQuality).map(quality)).toEqual(['1080p60', '1080p', '360p']);
});

test('a quality is found again by its name, and the source only as the source', () => {
	expect(same(level(1280, 720, 30), level(1280, 720, 29.97))).toBe(true);
	expect(same(level(1280, 720, 30), level(1280, 720, 30, true))).toBe(false);
	expect(same(level(1280, 720, 30), null)).toBe(false);
});

test('a sound is called by its name and language', () => {
	expect(sound({ id: 0, name: 'Audio 2', language: 'de' }, 'en')).toBe('Audio 2 (German)');
	expect(sound({ id: 0, name: 'Deutsch', language: null }, 'en')).toBe('Deutsch');
	expect(sound({ id: 0, name: 'Odd', language: '!' }, 'en')).toBe('Odd (!)');
});

test('a sound is found again in another delivery by its name and language', () => {
	const second = { id: 1, name: 'Audio 2', language: null };
	expect(sameSound({ ...second, id: 7 }, second)).toBe(true);
	expect(sameSound({ ...second, language: 'de' }, second)).toBe(false);
	expect(sameSound(second, null)).toBe(false);
});

test('the sound alone is offered beside several qualities, and as long as it is chosen', () => {
	expect(offersSoundAlone({ qualities: true, sound: true, chosen: false })).toBe(true);
	expect(offersSoundAlone({ qualities: false, sound: true, chosen: false })).toBe(false);
	expect(offersSoundAlone({ qualities: true, sound: false, chosen: false })).toBe(false);
	expect(offersSoundAlone({ qualities: false, sound: false, chosen: true })).toBe(true);
});
