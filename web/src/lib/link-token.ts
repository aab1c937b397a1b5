import type { FactorStep } from './api';

/** The secret in a link that was mailed or printed: read once, and gone from the address bar and the history. */
export function takeToken(url: URL): string | null {
	const token = url.searchParams.get('token');
	if (token !== null) {
		const rest = new URLSearchParams(url.search);
		rest.delete('token');
		const search = rest.size > 0 ? `?${rest}` : '';
		// The router's own state stays: only the address changes.
		history.replaceState(history.state, '', url.pathname + search);
	}
	return token || null;
}

/**
 * The second step of a sign-in that began at another service: it stands in the fragment, which no server sees, and is
 * read once.
 */
export function takeStep(url: URL): FactorStep | null {
	const fragment = new URLSearchParams(url.hash.slice(1));
	const challenge = fragment.get('challenge');
	if (!challenge) return null;
	history.replaceState(history.state, '', url.pathname + url.search);
	const given = fragment.get('methods')?.split(',') ?? [];
	const methods = (['totp', 'recovery', 'passkey'] as const).filter((method) => given.includes(method));
	return { state: 'factor', challenge, methods };
}

/** The token in something pasted: a whole link, or the token alone. */
export function pastedToken(text: string): string | null {
	const trimmed = text.trim();
	if (/^[\w.~-]+$/.test(trimmed)) return trimmed;
	try {
		return new URL(trimmed).searchParams.get('token') || null;
	} catch {
		return null;
	}
}
