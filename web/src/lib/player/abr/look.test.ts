import { expect, test } from 'vitest';
import { playlists } from './look';

test('a multivariant playlist leads to the playlists of its qualities', () => {
	const text = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=2
colors/ID/video.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1
colors/ID/video-16.m3u8?token=t
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="colors/ID/video.iframes.m3u8"
`;
	expect([...playlists(text, new URL('http://host/live/colors.m3u8'))]).toEqual([
		['video', 'http://host/live/colors/ID/video.m3u8'],
		['video-16', 'http://host/live/colors/ID/video-16.m3u8?token=t']
	]);
});
