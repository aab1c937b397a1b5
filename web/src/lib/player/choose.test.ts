import { afterEach, expect, test, vi } from 'vitest';
import { address } from './choose';

const stream = { hls: '/live/a.m3u8', dash: '/live/a.mpd', soundAlone: false };

afterEach(() => vi.unstubAllGlobals());

test('each delivery has its address, and the sound alone of it another', () => {
	vi.stubGlobal('MediaSource', class {});
	const both = (mode: 'low' | 'normal' | 'dash') => [
		address({ ...stream, mode }),
		address({ ...stream, mode, soundAlone: true })
	];
	expect(both('low')).toEqual(['/live/a.m3u8', '/live/a.m3u8?max_resolution=0']);
	expect(both('normal')).toEqual([
		'/live/a.m3u8?latency=normal',
		'/live/a.m3u8?latency=normal&max_resolution=0'
	]);
	expect(both('dash')).toEqual(['/live/a.mpd', '/live/a.mpd?max_resolution=0']);
});

test('a browser without Media Source gets HLS, also for the sound alone', () => {
	expect(address({ ...stream, mode: 'dash', soundAlone: true })).toBe('/live/a.m3u8?max_resolution=0');
});
