import { expect, test } from 'vitest';
import { hasMedia } from './playlist';

const head =
	'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.333\n#EXT-X-MAP:URI="init.mp4"\n';

test.each([
	['nothing', head, false],
	['segments', `${head}#EXTINF:2,\nvideo/1.mp4\n`, true],
	[
		'only a part',
		`${head}#EXT-X-PART:DURATION=0.3,URI="video/1.0.mp4"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="x"\n`,
		true
	],
	['a gap long ago', `${head}#EXT-X-GAP\n#EXTINF:2,\nvideo/1.mp4\n#EXTINF:2,\nvideo/2.mp4\n`, true],
	['a gap at the end', `${head}#EXTINF:2,\nvideo/1.mp4\n#EXT-X-GAP\n#EXTINF:2,\nvideo/2.mp4\n`, false],
	[
		'a part that is a gap at the end',
		`${head}#EXTINF:2,\nvideo/1.mp4\n#EXT-X-PART:DURATION=0.3,URI="p",GAP=YES\n`,
		false
	]
])('of a playlist with %s', (_, text, expected) => expect(hasMedia(text)).toBe(expected));
