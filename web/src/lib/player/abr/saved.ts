/** How many qualities the server lists, and data saver where the browser chooses by itself: it lists less. */
import { SAVER } from './rungs';

/** The address of a multivariant playlist, of all qualities or of those that save data. */
export function saved(url: string, saver: boolean): string {
	return saver ? `${url}${url.includes('?') ? '&' : '?'}max_resolution=${SAVER.lines}p` : url;
}

/** How many qualities a multivariant playlist lists. */
export function variants(text: string): number {
	return text.match(/^#EXT-X-STREAM-INF:/gm)?.length ?? 0;
}

/** How many the one at an address lists; 0 when it cannot be had. */
export async function count(multivariant: string, signal: AbortSignal): Promise<number> {
	const text = await fetch(multivariant, { signal })
		.then((answer) => (answer.ok ? answer.text() : ''))
		.catch(() => '');
	return variants(text);
}
