/** What a channel's handle may be; the server decides, this only answers while somebody types. */
export const HANDLE_MIN = 3;
export const HANDLE_MAX = 24;

/** Why a handle cannot be one, or `null` when it can. */
export function handleProblem(handle: string): 'short' | 'long' | 'signs' | 'edges' | null {
	if (/[^a-z0-9_-]/.test(handle)) return 'signs';
	if (handle.length < HANDLE_MIN) return 'short';
	if (handle.length > HANDLE_MAX) return 'long';
	if (/^[_-]/.test(handle)) return 'edges';
	return null;
}

/** A handle made of a title: `Ada’s Café!` becomes `adas-cafe`. */
export function handleOf(title: string): string {
	return title
		.normalize('NFKD')
		.replace(/[\u0300-\u036f’'`]/g, '')
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.slice(0, HANDLE_MAX)
		.replace(/^-+|-+$/g, '');
}

/** The tags in what was typed, without what is there already: `a, b` are two. */
export function tagsOf(typed: string, there: readonly string[] = []): string[] {
	const seen = new Set(there.map((tag) => tag.toLowerCase()));
	return typed
		.split(/[,\n]/)
		.map((tag) => tag.trim().replace(/^#/, '').slice(0, 30))
		.filter((tag) => {
			const fresh = tag !== '' && !seen.has(tag.toLowerCase());
			seen.add(tag.toLowerCase());
			return fresh;
		});
}
