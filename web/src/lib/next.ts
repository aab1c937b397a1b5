/** Where a sign-in leads: a path on this server and nowhere else. */
import type { Me } from './api';

const BASE = 'https://here.invalid';

/** The path in `?next=`, if it stays on this server; `/` otherwise. */
export function safeNext(next: string | null | undefined, otherwise = '/'): string {
	if (!next?.startsWith('/') || /[\\\u0000-\u001f]/.test(next)) return otherwise;
	let url: URL;
	try {
		url = new URL(next, BASE);
	} catch {
		return otherwise;
	}
	// `/.//host` becomes `//host`, which a browser reads as another server.
	const stays = url.origin === BASE && !url.pathname.startsWith('//');
	return stays ? url.pathname + url.search + url.hash : otherwise;
}

/** Where somebody goes who has just signed in: where they wanted to, once they have the second factor that is asked of them. */
export function landing(me: Pick<Me, 'factor_required'>, next = '/'): string {
	return me.factor_required ? '/me/security' : next;
}

/** The sign-in page that leads back to `from`. */
export function signInPath(from: { pathname: string; search: string }): string {
	const here = from.pathname + from.search;
	return here === '/' ? '/login' : `/login?next=${encodeURIComponent(here)}`;
}

/** A whole address to pass on: where the server does not know its own, it names a path, and the page knows. */
export function absolute(url: string): string {
	return new URL(url, location.origin).href;
}
