/**
 * How fast the link is, told from transfers that are each too short to tell.
 *
 * At the live edge a part arrives in a few milliseconds and the link then rests until there is another. So a transfer
 * counts by the media it carries, not by how long it took: else one slow part would outweigh a hundred quick ones and
 * the estimate would never rise again. What is averaged is the time a bit takes, not the bits in a time: a slow part is
 * felt at once, and trust comes back step by step.
 */
export interface Transfer {
	bytes: number;
	/** Seconds from the first byte to the last: what was waited before says nothing about the link. */
	seconds: number;
	/** Seconds from the request to the last byte. */
	whole: number;
	/** Seconds of media in it. */
	media: number;
	/** When the last byte came, in seconds; needed where other things come beside. */
	end?: number;
}

/** Bytes that took their share of the link: the sound. */
export interface Beside {
	bytes: number;
	/** When the first byte came and when the last, in seconds. */
	first: number;
	end: number;
}

/** Seconds of media after which a measurement counts half. */
const FAST = 0.8;
const SLOW = 3;
const LOAD = 1;
/** So many of the last transfers may have been beside the newest. */
const BESIDE_MOST = 8;
/** Nobody needs to know of more than this, in bits per second; clocks of browsers are too coarse to tell. */
const MOST = 500e6;

export class Meter {
	#fast = new Average(FAST);
	#slow = new Average(SLOW);
	#load = new Average(LOAD);
	#others: Beside[] = [];

	/** Something else came over the link. */
	beside(other: Beside) {
		this.#others = [...this.#others.slice(1 - BESIDE_MOST), other];
	}

	add({ bytes, seconds, whole, media, end }: Transfer) {
		if (bytes <= 0 || media <= 0) return;
		const all = bytes + (end === undefined ? 0 : this.#shared(end - seconds, end));
		const cost = Math.max(seconds / (all * 8), 1 / MOST);
		const weight = Math.max(media, seconds);
		this.#fast.add(cost, weight);
		this.#slow.add(cost, weight);
		this.#load.add(whole / media, weight);
	}

	/** Bytes of others that came in a time. */
	#shared(from: number, to: number): number {
		return this.#others.reduce((sum, { bytes, first, end }) => {
			const overlap = Math.min(to, end) - Math.max(from, first);
			return overlap > 0 ? sum + bytes * Math.min(1, overlap / (end - first)) : sum;
		}, 0);
	}

	/** The link is known to be this slow now, in bits per second: what was measured before is no longer true. */
	restart(bits: number) {
		for (const average of [this.#fast, this.#slow]) average.restart(1 / Math.max(bits, 1));
		this.moved();
	}

	/** Other media are loaded from here on: how long the former took says nothing about these. */
	moved() {
		this.#load = new Average(LOAD);
	}

	/** Bits per second that can be counted on, `null` before anything was measured. */
	get bits(): number | null {
		const cost = Math.max(this.#fast.value ?? 0, this.#slow.value ?? 0);
		return cost > 0 ? 1 / cost : null;
	}

	/** Seconds it takes to load a second of media: at 1 the picture is about to stop. `null` before anything was measured. */
	get load(): number | null {
		return this.#load.value;
	}
}

/** An average in which what is older counts less. */
class Average {
	#sum = 0;
	#weight = 0;
	readonly #half: number;

	constructor(half: number) {
		this.#half = half;
	}

	get value(): number | null {
		return this.#weight > 0 ? this.#sum / this.#weight : null;
	}

	add(value: number, weight: number) {
		const kept = 0.5 ** (weight / this.#half);
		this.#sum = this.#sum * kept + value * (1 - kept);
		this.#weight = this.#weight * kept + (1 - kept);
	}

	restart(value: number) {
		this.#sum = value;
		this.#weight = 1;
	}
}
