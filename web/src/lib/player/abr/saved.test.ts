import { expect, test } from 'vitest';
import { asksForSoundAlone, saved, soundAlone, variants } from './saved';

test('data saver asks the server for less, beside whatever else is asked', () => {
	expect(saved('/live/a.m3u8', false)).toBe('/live/a.m3u8');
	expect(saved('/live/a.m3u8', true)).toBe('/live/a.m3u8?max_resolution=480p');
	expect(saved('/live/a.m3u8?latency=normal', true)).toBe('/live/a.m3u8?latency=normal&max_resolution=480p');
});

test('the sound alone is asked for, beside whatever else is asked', () => {
	expect(soundAlone('/live/a.mpd')).toBe('/live/a.mpd?max_resolution=0');
	expect(soundAlone('/live/a.m3u8?latency=normal')).toBe('/live/a.m3u8?latency=normal&max_resolution=0');
	expect(asksForSoundAlone(soundAlone('/live/a.m3u8?latency=normal'))).toBe(true);
	expect(asksForSoundAlone(saved('/live/a.m3u8', true))).toBe(false);
});

test('data saver does not bring back a picture that nobody wants', () => {
	expect(saved(soundAlone('/live/a.m3u8'), true)).toBe('/live/a.m3u8?max_resolution=0');
});

test('pictures to look through are no quality', () => {
	const text = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="b"\n';
	expect(variants(text)).toBe(1);
});

test('the sound alone is no quality of the picture', () => {
	const picture =
		'#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"\na\n';
	const sound = '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2",SCORE=1,AUDIO="audio"\nb\n';
	expect(variants(picture + sound)).toBe(1);
	expect(variants(sound)).toBe(0);
	expect(variants('#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.64001F,mp4a.40.2"\na\n')).toBe(1);
});
