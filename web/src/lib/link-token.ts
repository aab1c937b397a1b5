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
