/** A transfer under way: whether it will come too late. */
export interface Flight {
	/** Seconds since the request. */
	elapsed: number;
	/** Seconds from the request to the first byte, `null` while there is none. */
	waited: number | null;
	loaded: number;
	/** Bytes it will be, as far as that can be told. */
	expected: number;
	/** Seconds of media in it. */
	media: number;
}

/** Before this many seconds of bytes, a rate is a guess. */
const LEAST = 0.1;
/** Without a byte for so long, something is wrong even on a far link. */
const SILENCE = 0.6;
/** Seconds of buffer that the change to another quality takes. */
const CHANGE = 0.15;

/** Bits per second at which the transfer comes, if that is too slow for `buffer` seconds of media; else `null`. */
export function tooSlow({ elapsed, waited, loaded, expected, media }: Flight, buffer: number): number | null {
	if (waited === null || loaded === 0) return elapsed > SILENCE && buffer < CHANGE ? 0 : null;
	const streaming = elapsed - waited;
	if (streaming < LEAST) return null;
	const rate = loaded / streaming;
	const left = Math.max(0, expected - loaded) / rate;
	return left > buffer - CHANGE && elapsed + left > media ? rate * 8 : null;
}

/** Where in a segment a transfer stands that comes too late. */
export interface Place {
	/** Bits per second that come. */
	rate: number;
	/** Bits per second of what is loading, and of what could be loaded instead. */
	bitrate: number;
	instead: number;
	/** Seconds of media from the segment's key frame to the end of what is loading, and from there to the next. */
	begun: number;
	left: number;
	/** Bytes that are missing of what is loading. */
	missing: number;
}

/**
 * Whether the picture stands still for a shorter time if the quality is changed at once, and not where the next segment
 * begins: another quality has to be loaded from the key frame on.
 */
export function worthLeaving({ rate, bitrate, instead, begun, left, missing }: Place): boolean {
	if (rate <= 0) return true;
	const leave = CHANGE + (begun * instead) / rate;
	const stay = (missing * 8 + left * bitrate) / rate - left;
	return leave < stay;
}
