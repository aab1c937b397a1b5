/** Looks whether there are media in a quality before it is needed. */
import { hasMedia } from './playlist';

/** Whether the media playlist at an address has media to play now. It may take as long as the server waits for them. */
export async function look(playlist: string, signal: AbortSignal): Promise<boolean> {
	return hasMedia(await text(playlist, signal));
}

/** The addresses of the media playlists that a multivariant playlist lists, by their names without folder and ending. */
export async function listed(multivariant: string, signal: AbortSignal): Promise<Map<string, string>> {
	return playlists(await text(multivariant, signal), new URL(multivariant, location.href));
}

export function playlists(multivariant: string, base: URL): Map<string, string> {
	const found = new Map<string, string>();
	for (const line of multivariant.split('\n')) {
		const name = line.startsWith('#') ? undefined : /([^/]+)\.m3u8/.exec(line)?.[1];
		if (name) found.set(name, new URL(line.trim(), base).href);
	}
	return found;
}

/** What is at an address; nothing when it cannot be had. */
export function text(address: string, signal: AbortSignal): Promise<string> {
	return fetch(address, { signal })
		.then((answer) => (answer.ok ? answer.text() : ''))
		.catch(() => '');
}
