/** The player's keys: the letters people know from the big sites. */

export type Command =
	'play' | 'mute' | 'fullscreen' | 'pip' | 'live' | 'stats' | 'help' | { seek: number } | { volume: number };

const KEYS: Record<string, Command> = {
	' ': 'play',
	k: 'play',
	m: 'mute',
	f: 'fullscreen',
	i: 'pip',
	s: 'stats',
	'?': 'help',
	End: 'live',
	j: { seek: -10 },
	l: { seek: 10 },
	ArrowLeft: { seek: -5 },
	ArrowRight: { seek: 5 },
	ArrowUp: { volume: 0.05 },
	ArrowDown: { volume: -0.05 }
};

export interface Press {
	key: string;
	ctrlKey: boolean;
	metaKey: boolean;
	altKey: boolean;
}

/** What the focused element does with keys itself: `text` takes all, `control` takes Space and the arrows. */
export type Focus = 'text' | 'control' | 'none';

/** The command of a key, `null` when the browser or the focused control needs it. */
export function command(press: Press, focus: Focus): Command | null {
	if (press.ctrlKey || press.metaKey || press.altKey || focus === 'text') return null;
	const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
	if (focus === 'control' && (key === ' ' || key.startsWith('Arrow') || key === 'End')) return null;
	return KEYS[key] ?? null;
}

/** What has the focus, looking into shadow roots. */
export function focus(event: Event): Focus {
	const element = event.composedPath()[0];
	if (!(element instanceof Element)) return 'none';
	if (
		element.closest('textarea, [contenteditable], input:not([type=radio], [type=checkbox], [type=range])')
	) {
		return 'text';
	}
	const control = 'button, a[href], select, input, summary, [role=button], [role=slider], [role=switch]';
	return element.closest(control) ? 'control' : 'none';
}
