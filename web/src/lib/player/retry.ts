/** Waiting times between attempts: half a second, doubled up to eight, each a little irregular so that viewers of a
 * restarted server do not all come back in the same instant. */
export class RetryLadder {
	#attempt = 0;
	readonly #random: () => number;

	constructor(random: () => number = Math.random) {
		this.#random = random;
	}

	/** Milliseconds to wait before the next attempt. */
	next(): number {
		const step = Math.min(8000, 500 * 2 ** this.#attempt++);
		return Math.round(step * (0.85 + 0.3 * this.#random()));
	}

	/** Things work again: the next trouble starts at the first rung. */
	reset() {
		this.#attempt = 0;
	}
}
