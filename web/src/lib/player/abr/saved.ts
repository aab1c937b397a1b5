/** How many qualities the server lists, and how it is asked for less: for what saves data, or for the sound alone. */
import { text } from './look';
import { SAVER } from './rungs';

/** Whoever asks for no picture gets no other answer, however little data that picture took. */
const ALONE = 'max_resolution=0';

/** The address of a multivariant playlist, of all qualities or of those that save data. */
export function saved(url: string, saver: boolean): string {
	return saver && !asksForSoundAlone(url) ? asking(url, `max_resolution=${SAVER.lines}p`) : url;
}

/** The address of a stream, HLS or DASH, without its picture. */
export function soundAlone(url: string): string {
	return asking(url, ALONE);
}

export function asksForSoundAlone(url: string): boolean {
	return /[?&]max_resolution=0(&|$)/.test(url);
}

/** How many qualities of the picture a multivariant playlist lists. */
export function variants(text: string): number {
	const listed = text.match(/^#EXT-X-STREAM-INF:.*$/gm) ?? [];
	return listed.filter((variant) => !isSoundAlone(variant)).length;
}

/** How many the one at an address lists; 0 when it cannot be had. */
export async function count(multivariant: string, signal: AbortSignal): Promise<number> {
	return variants(await text(multivariant, signal));
}

function asking(url: string, what: string): string {
	return `${url}${url.includes('?') ? '&' : '?'}${what}`;
}

/** Whether a variant is the sound alone, which is listed last beside several qualities. */
function isSoundAlone(variant: string): boolean {
	if (/[:,]RESOLUTION=/.test(variant)) return false;
	const codecs = /[:,]CODECS="([^"]+)"/.exec(variant)?.[1]?.split(',') ?? [];
	return codecs.length > 0 && codecs.every((codec) => /^(mp4a|ac-3|ec-3|opus|fLaC)/i.test(codec.trim()));
}
