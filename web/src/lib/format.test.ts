import { expect, test } from 'vitest';
import { bitrate, codec, count, duration, latency, picture, relative } from './format';

test.each([
	[0, '0:00'],
	[42.9, '0:42'],
	[725, '12:05'],
	[3727, '1:02:07'],
	[3 * 86_400 + 4 * 3600, '3 d 04:00'],
	[-5, '0:00']
])('%d seconds on air read %s', (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
	[2_500_000, '2.5 Mb/s'],
	[640_400, '640 kb/s']
])('%d bits per second read %s', (bits, text) => expect(bitrate(bits)).toBe(text));

test.each([
	[0.84, '0.8 s'],
	[12.4, '12 s']
])('%d seconds behind live read %s', (seconds, text) => expect(latency(seconds)).toBe(text));

test.each([
	['avc1.64001f', 'H.264'],
	['mp4a.40.2', 'AAC'],
	['mp4a.40.34', 'MP3'],
	['av01.0.05M.08', 'AV1'],
	['hvc1.1.6.L93.B0', 'HEVC'],
	['Opus', 'Opus'],
	['unheard-of', 'unheard-of']
])('%s is called %s', (string, name) => expect(codec(string)).toBe(name));

test('pictures and crowds are short', () => {
	expect(picture(720, 29.97)).toBe('720p30');
	expect(picture(1080)).toBe('1080p');
	expect(count(1204)).toBe('1.2K');
});

test.each([
	[0, 'just now'],
	[-45, 'just now'],
	[-200, '3 minutes ago'],
	[-7300, '2 hours ago'],
	[2 * 86_400 + 60, 'in 2 days'],
	[-86_400, 'yesterday'],
	[40, 'in a moment']
])('%d seconds from now read %s', (seconds, text) =>
	expect(relative(1_700_000_000_000 + seconds * 1000, 1_700_000_000_000)).toBe(text)
);
