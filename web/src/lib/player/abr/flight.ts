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
