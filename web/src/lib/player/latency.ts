/**
 * How far behind live the picture is, and the gentle speeding up and slowing down that keeps it near.
 *
 * The regulator looks at the shortest buffer of the last seconds rather than at the latency itself. Media arrive in
 * grains (parts), so the buffer is a saw tooth, and its lowest point is exactly the reserve against a stall: parts,
 * network and encoder may be slow or quick, the same reserve fits. Latency then is as low as this viewer can have it.
 */

/** Seconds between the server's clock and the time stamp of the picture on screen; a stamp from the future is now. */
export function behindLive(serverNow: number, playingAt: number | null): number | null {
	return playingAt === null ? null : Math.max(0, serverNow - playingAt) / 1000;
}

export interface Reading {
	/** Seconds, monotonic. */
	now: number;
	/** Seconds of media ahead of the playhead. */
	buffer: number;
	/** Length of what arrives at once, in seconds. */
	grain: number;
	/** Seconds behind live, where it can be measured. */
	latency: number | null;
}

/** What to do with the playhead now. */
export type Advice = { rate: number } | { jump: true };

const RESERVE_MIN = 0.3;
const RESERVE_MAX = 1.5;
const RESERVE_STEP = 0.2;
const CALM_SECONDS = 90;
const DEAD_ZONE = 0.04;
const RATE_MIN = 0.96;
const RATE_MAX = 1.08;
const GAIN = 0.4;
/** Further behind than this, catching up gently would take minutes: jump. */
const JUMP_SECONDS = 6;

/** Keeps the playhead as near to live as the arrivals allow, by at most 8 % of speed: speech stays natural. */
export class Pacer {
	#reserve = RESERVE_MIN;
	#lows: { at: number; buffer: number }[] = [];
	#lastStall = Number.NEGATIVE_INFINITY;
	#rate = 1;

	/** Seconds of buffer that are kept at the lowest point. */
	get reserve(): number {
		return this.#reserve;
	}

	/** The playhead ran dry: keep more in reserve for a while. */
	stalled(now: number) {
		if (now - this.#lastStall < 1) return;
		this.#lastStall = now;
		this.#reserve = Math.min(RESERVE_MAX, this.#reserve + RESERVE_STEP);
		this.#lows = [];
	}

	/** The playhead was moved: what was measured before says nothing any more. */
	restart() {
		this.#lows = [];
		this.#rate = 1;
	}

	/** Advice for this reading; to be asked some times a second while playing. */
	advise(reading: Reading): Advice {
		this.#relax(reading.now);
		const { span, low } = this.#observe(reading);
		const window = Pacer.#window(reading.grain);
		if (
			reading.latency !== null &&
			reading.latency > JUMP_SECONDS + reading.grain &&
			low > JUMP_SECONDS / 2
		) {
			return { jump: true };
		}
		const excess = low - this.#reserve;
		// Slowing down must not wait until a whole window was seen; speeding up must.
		if (excess > 0 && span < window * 0.6) return { rate: this.#rate };
		this.#rate = Pacer.#rateFor(excess, this.#rate);
		return { rate: this.#rate };
	}

	#observe({ now, buffer, grain }: Reading): { span: number; low: number } {
		const oldest = now - Pacer.#window(grain);
		this.#lows = this.#lows.filter((reading) => reading.at >= oldest);
		this.#lows.push({ at: now, buffer });
		const low = Math.min(...this.#lows.map((reading) => reading.buffer));
		return { span: now - (this.#lows[0]?.at ?? now), low };
	}

	#relax(now: number) {
		if (this.#reserve <= RESERVE_MIN || now - this.#lastStall < CALM_SECONDS) return;
		this.#reserve = Math.max(RESERVE_MIN, this.#reserve - RESERVE_STEP / 2);
		this.#lastStall = now - CALM_SECONDS / 2;
	}

	/** Three grains, so that one late part is seen before the reserve is called too big. */
	static #window(grain: number): number {
		return Math.min(8, Math.max(1.2, 3 * grain));
	}

	static #rateFor(excess: number, current: number): number {
		// Once at work, go on until the middle of the dead zone: no hunting around its edge.
		const zone = current === 1 ? DEAD_ZONE : DEAD_ZONE / 4;
		if (Math.abs(excess) <= zone) return 1;
		const wanted = Math.min(RATE_MAX, Math.max(RATE_MIN, 1 + GAIN * excess));
		return Math.round(wanted * 100) / 100;
	}
}
