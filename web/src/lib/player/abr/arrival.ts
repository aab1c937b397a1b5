/**
 * A segment that arrives while it is made, as in low-latency DASH: what the link is worth is seen only inside a chunk
 * (`moof` and `mdat`), for between two of them the server itself waits.
 */
export interface Chunk {
	/** Bytes that came while it was looked, and the seconds they took. */
	bytes: number;
	seconds: number;
	/** Bytes of all of it. */
	size: number;
}

const MDAT = 0x6d646174;
const HEADER = 8;

export class Arrival {
	/** When the last piece came, in seconds; `null` while nothing is under way. */
	#last: number | null = null;
	#seconds = 0;
	#size = 0;
	#unseen = 0;
	#pieces = 0;
	/** Bytes that are left of the box, and whether it ends a chunk. */
	#left = 0;
	#ends = false;
	readonly #header = new Uint8Array(HEADER);
	#headed = 0;
	/** Bytes of the box that is begun: as much is still to come at least. */
	#box = 0;

	/** Takes a piece that came at `now` (seconds); gives the chunks that it ended. */
	take(piece: Uint8Array, now: number): Chunk[] {
		const ended: Chunk[] = [];
		this.#wait(now);
		this.#pieces++;
		for (let at = 0; at < piece.length;) {
			const step = this.#left > 0 ? Math.min(this.#left, piece.length - at) : this.#head(piece, at);
			at += step;
			this.#count(step);
			if (this.#left === 0 && this.#ends) {
				ended.push({ bytes: this.#size - this.#unseen, seconds: this.#seconds, size: this.#size });
				this.#begin();
				// What follows in the same piece came without being waited for.
				this.#pieces = 2;
			}
		}
		this.#last = this.#size > 0 ? now : null;
		if (this.#last === null) this.#pieces = 0;
		return ended;
	}

	/** The chunk under way at `now`: what came, how long that took, and how large it will be at least. */
	pending(now: number): Chunk | null {
		if (this.#last === null) return null;
		return {
			bytes: this.#size - this.#unseen,
			seconds: this.#seconds + now - this.#last,
			size: Math.max(this.#box, this.#size + this.#left)
		};
	}

	#wait(now: number) {
		if (this.#last !== null) this.#seconds += Math.max(0, now - this.#last);
	}

	#begin() {
		this.#seconds = this.#size = this.#unseen = this.#box = 0;
		this.#ends = false;
	}

	/** How long the first piece was under way nobody knows, unless it was all. */
	#count(step: number) {
		if (this.#left >= step) this.#left -= step;
		else this.#left = 0;
		this.#size += step;
		if (this.#pieces === 1) this.#unseen += step;
	}

	/** Reads what there is of a box's header; its content is what is left then. */
	#head(piece: Uint8Array, at: number): number {
		const step = Math.min(HEADER - this.#headed, piece.length - at);
		this.#header.set(piece.subarray(at, at + step), this.#headed);
		this.#headed += step;
		if (this.#headed < HEADER) return step;
		this.#headed = 0;
		const view = new DataView(this.#header.buffer);
		const size = view.getUint32(0);
		this.#ends = view.getUint32(4) === MDAT;
		this.#box = this.#size + size;
		// `#count` takes the header off again.
		this.#left = Math.max(HEADER, size) - HEADER + step;
		return step;
	}
}
