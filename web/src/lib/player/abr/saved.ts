/** Data saver where the browser chooses by itself: the server lists less. */
import { SAVER } from './rungs';

/** The address of a multivariant playlist, of all qualities or of those that save data. */
export function saved(url: string, saver: boolean): string {
	return saver ? `${url}${url.includes('?') ? '&' : '?'}max_resolution=${SAVER.lines}p` : url;
}

/** How many qualities a multivariant playlist lists. */
export function variants(text: string): number {
	return text.match(/^#EXT-X-STREAM-INF:/gm)?.length ?? 0;
}
