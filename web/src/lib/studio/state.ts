/** How the state of a stream is shown. */
import type { Stream } from '$lib/api';

/** The badge of each state. */
export const BADGES = { idle: 'offline', live: 'live', waiting: 'away' } as const satisfies Record<
	Stream['state'],
	string
>;
