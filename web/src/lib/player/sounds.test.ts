import { expect, test } from 'vitest';
import { listedSounds } from './sounds';

const base = new URL('http://localhost/live/a.m3u8?max_resolution=0');
const group = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio"';

test('every sound of a playlist is found, with its address', () => {
	const text = `#EXTM3U
${group},NAME="Audio",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,URI="a/ID/audio.m3u8?latency=normal"
${group},NAME="Audio 2",LANGUAGE="de",DEFAULT=NO,URI="a/ID/audio-1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2",AUDIO="audio"
a/ID/audio.m3u8
`;
	expect(listedSounds(text, base)).toEqual([
		{ name: 'Audio', language: null, address: 'http://localhost/live/a/ID/audio.m3u8?latency=normal' },
		{ name: 'Audio 2', language: 'de', address: 'http://localhost/live/a/ID/audio-1.m3u8' }
	]);
});

test('a playlist with one sound lists none to choose from', () => {
	expect(listedSounds('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na/ID/audio.m3u8\n', base)).toEqual([]);
});
