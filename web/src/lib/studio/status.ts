/** What a creator's setup page waits for, as one word; made of what the server says, answer after answer. */
import type { Refusal, StreamStatus } from '$lib/api';

export type Phase = 'asking' | 'waiting' | 'connecting' | 'refused' | 'live' | 'lost' | 'ended' | 'disabled';

export interface Reduced {
	phase: Phase;
	/** The refusal that explains why there is no picture. */
	refusal: Refusal | null;
	/** When the newest refusal was that explains nothing any more. */
	seen: string | null;
	/** A broadcast was live since the page was opened. */
	wasLive: boolean;
}

export const START: Reduced = { phase: 'asking', refusal: null, seen: null, wasLive: false };

/** A refusal this long before the page was opened may be what brought the person here; an older one is history. */
const RECENT_MS = 5 * 60_000;

/** The next state after an answer that came at `now` (Unix milliseconds). */
export function reduce(before: Reduced, status: StreamStatus, now: number): Reduced {
	const newest = status.last_refusal;
	if (status.state === 'live') {
		return { phase: 'live', refusal: null, seen: newest?.at ?? null, wasLive: true };
	}
	const old = before.phase === 'asking' && newest !== null && Date.parse(newest.at) < now - RECENT_MS;
	const seen = old ? newest.at : before.seen;
	const refusal = newest && newest.at !== seen ? newest : null;
	// A broadcast that has something to see and waits has lost its source; one that has nothing yet begins.
	const wasLive = before.wasLive || (status.state === 'waiting' && status.live !== null);
	return { phase: idle(status, refusal, wasLive), refusal, seen, wasLive };
}

function idle(status: StreamStatus, refusal: Refusal | null, wasLive: boolean): Phase {
	if (status.state === 'waiting') return wasLive ? 'lost' : 'connecting';
	if (status.disabled) return 'disabled';
	if (refusal) return 'refused';
	return wasLive ? 'ended' : 'waiting';
}
