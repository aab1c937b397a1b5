import { expect, test } from 'vitest';
import { saved, variants } from './saved';

test('data saver asks the server for less, beside whatever else is asked', () => {
	expect(saved('/live/a.m3u8', false)).toBe('/live/a.m3u8');
	expect(saved('/live/a.m3u8', true)).toBe('/live/a.m3u8?max_resolution=480p');
	expect(saved('/live/a.m3u8?latency=normal', true)).toBe('/live/a.m3u8?latency=normal&max_resolution=480p');
});

test('pictures to look through are no quality', () => {
	const text = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="b"\n';
	expect(variants(text)).toBe(1);
});
