/** Where and how an encoder sends its picture. */
import type { Stream } from '$lib/api';

export interface Ways {
	rtmps: string | null;
	rtmp: string | null;
}

/** The address to recommend: the encrypted one where there is one. */
export function serverOf({ rtmps, rtmp }: Ways): string | null {
	return rtmps ?? rtmp;
}

export function waysOf(stream: Stream): Ways {
	return { rtmps: stream.ingest.rtmps_url, rtmp: stream.ingest.rtmp_url };
}

/** Where the key goes in a command that is shown; the copied one has the key itself. */
export const KEY_PLACE = 'STREAM_KEY';

/** The two commands people want: a test picture, and a file of theirs. */
export function ffmpegLine(what: 'test' | 'file', server: string, key: string = KEY_PLACE): string {
	const target = `-f flv '${server}/${key}'`;
	const encode =
		'-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2500k -c:a aac -b:a 160k';
	const input =
		what === 'test'
			? '-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000'
			: "-re -i 'video.mp4' -r 30";
	return `ffmpeg ${input} ${encode} ${target}`;
}
