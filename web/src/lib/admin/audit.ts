/** Entries of the audit log as people read them. */

/** `key_reveal` and `key.reveal` become `Key reveal`. */
export function actionWords(action: string): string {
	const words = action.replaceAll(/[_.-]+/g, ' ').trim();
	return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Names and values of an entry's detail, flat; what is empty stays out. */
export function detailRows(detail: Record<string, unknown> | null): [string, string][] {
	return Object.entries(detail ?? {})
		.filter(([, value]) => value !== null && value !== '')
		.map(([name, value]) => [name.replaceAll('_', ' '), plain(value)]);
}

function plain(value: unknown): string {
	if (Array.isArray(value)) return value.map(plain).join(', ');
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
