/**
 * The difference between this machine's clock and the server's, from answers that carry the server's time.
 *
 * The true offset lies within half a round trip of each estimate, so the quickest recent answer is believed; old
 * ones fade, since clocks drift.
 */
export class ServerClock {
	#offset = 0;
	#error = Number.POSITIVE_INFINITY;
	#at = 0;

	/** Takes an answer that was asked for at `sent`, arrived at `received` and says the server's time (all in ms). */
	observe(sent: number, received: number, server: number) {
		const error = Math.max(0, received - sent) / 2;
		// 1 ms of doubt per 10 s of age: well above what two clocks drift apart.
		const aged = this.#error + (received - this.#at) / 10_000;
		if (error > aged) return;
		this.#offset = server - (sent + received) / 2;
		this.#error = error;
		this.#at = received;
	}

	/** The server's time now, in Unix milliseconds. */
	now(local = Date.now()): number {
		return local + this.#offset;
	}

	/** Whether any answer has been seen. */
	get known(): boolean {
		return this.#error !== Number.POSITIVE_INFINITY;
	}
}
