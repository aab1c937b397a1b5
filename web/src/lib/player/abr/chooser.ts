/**
 * The automatic choice of a quality: a value that is told what is measured and says which rung to play.
 *
 * It goes down when media come hardly faster than they play, and up, a rung at a time, when the link has had room for
 * the next one for a while. A rung that had to be left soon after it was gone up to is left alone for longer each time,
 * so that a link that is just too slow does not make the picture change for ever. A rung that fails, has gaps or has
 * nothing yet is not chosen until somebody has seen media in it.
 */
import { first, most, type Rung, UP_SHARE } from './rungs';

export interface Reading {
	/** Seconds, monotonic. */
	now: number;
	/** Bits per second, `null` when not known. */
	bandwidth: number | null;
	/** Seconds it takes to load a second of media, `null` when not known. */
	load: number | null;
	/** Seconds of media ahead of the playhead. */
	buffer: number;
}

/** Loading takes this much of the time: the next hiccup would be a stall. */
const LOAD_DOWN = 0.85;
/** With seconds in the buffer, only what really falls behind is left. */
const BUFFER_DEEP = 4;
const LOAD_UP = 0.6;
/** How much of the link a rung may need that is gone down to. */
const DOWN_SHARE = 0.8;
/** How much of it when the picture is about to stop: room is needed to catch up. */
const HURRY_SHARE = 0.5;
/** Seconds for which there must be room before going up. */
const PATIENCE = 2.5;
/** Left within this time after going up, a rung was a mistake. */
const MISTAKE_SECONDS = 30;
const HOLD_SECONDS = 8;
const HOLD_MOST = 120;

export class Chooser {
	/** Which rung to play. */
	at = 0;
	#rungs: Rung[] = [];
	#most = 0;
	#seen = new Set<string>();
	#broken = new Map<string, { until: number; times: number }>();
	/** This rung and those above are left alone until then. */
	#held = { name: '', until: Number.NEGATIVE_INFINITY };
	#mistakes = 0;
	#wentUp = Number.NEGATIVE_INFINITY;
	#roomSince: number | null = null;

	/** The rungs there are, worst first; where it is in them stays, by its name. */
	set rungs(rungs: Rung[]) {
		const name = this.#rungs[this.at]?.name;
		const at = rungs.findIndex((rung) => rung.name === name);
		this.#rungs = rungs;
		this.#most = rungs.length - 1;
		this.at = at < 0 ? Math.min(this.at, Math.max(0, rungs.length - 1)) : at;
	}

	get rungs(): Rung[] {
		return this.#rungs;
	}

	/** How good it may be, by the player's size in device pixels and the viewer's wish. */
	limit(player: { width: number; height: number }, saver: boolean) {
		this.#most = most(this.#rungs, player, saver);
	}

	/** Where to begin on a link of so many bits per second. */
	begin(bandwidth: number, now: number): number {
		this.at = first(this.#rungs, bandwidth, this.#most);
		if (this.#isBroken(this.at, now)) this.at = this.#nearest(now);
		return this.at;
	}

	/** Somebody else has changed the quality: the viewer, or the library after an error. */
	moved(at: number) {
		if (at === this.at) return;
		this.at = at;
		this.#roomSince = null;
	}

	/** There are media in this rung. */
	works(name: string) {
		this.#seen.add(name);
	}

	/** It failed, has gaps, or does not begin: it is not to be chosen for a while. */
	fails(name: string, now: number) {
		const before = this.#broken.get(name);
		if (before && before.until > now) return;
		const times = (before?.times ?? 0) + 1;
		this.#broken.set(name, { until: now + wait(times), times });
		this.#seen.delete(name);
	}

	/** The worst rung in which nobody has seen media yet, to be looked at before it is needed. */
	unseen(now: number): Rung | undefined {
		return this.#rungs.find((rung, place) => !this.#seen.has(rung.name) && !this.#isBroken(place, now));
	}

	/** Which rung to play from here on. */
	choose(reading: Reading): number {
		const { now } = reading;
		if (this.#isBroken(this.at, now)) return this.#go(this.#nearest(now));
		if (this.at > this.#most) return this.#go(this.#below(this.#most + 1, now));
		if (this.#isTooMuch(reading)) return this.#retreat(reading, DOWN_SHARE);
		return this.#rise(reading);
	}

	/** Which rung to play now that the one that is loading comes too late. */
	hurry(reading: Reading): number {
		return this.#retreat(reading, HURRY_SHARE);
	}

	/** Which rung `hurry` would take. */
	refuge(reading: Reading): number {
		return this.#lower(reading, HURRY_SHARE);
	}

	#isTooMuch({ load, buffer }: Reading): boolean {
		return load !== null && load > (buffer > BUFFER_DEEP ? 1 : LOAD_DOWN);
	}

	#retreat(reading: Reading, share: number): number {
		const { now } = reading;
		const from = this.at;
		const to = this.#lower(reading, share);
		if (to >= from) return from;
		this.#mistakes = now - this.#wentUp < MISTAKE_SECONDS ? this.#mistakes + 1 : 0;
		this.#held = { name: this.#rungs[from]?.name ?? '', until: now + wait(this.#mistakes + 1) };
		return this.#go(to);
	}

	/** The best rung below that needs no more than a share of the link, else the worst. */
	#lower({ now, bandwidth }: Reading, share: number): number {
		const fits = this.#rungs.findLastIndex(
			(rung, place) => place < this.at && this.#isOpen(place, now) && rung.bitrate <= share * (bandwidth ?? 0)
		);
		return Math.min(this.at, fits < 0 ? this.#lowest(now) : fits);
	}

	#rise({ now, bandwidth, load }: Reading): number {
		const next = this.#rungs.findIndex((_, place) => place > this.at && this.#isOpen(place, now));
		const need = this.#rungs[next]?.bitrate;
		const isRoom =
			need !== undefined &&
			next <= this.#most &&
			!this.#isHeld(next, now) &&
			(load ?? 1) < LOAD_UP &&
			need <= UP_SHARE * (bandwidth ?? 0);
		if (!isRoom) {
			this.#roomSince = null;
			return this.at;
		}
		this.#roomSince ??= now;
		if (now - this.#roomSince < PATIENCE) return this.at;
		this.#wentUp = now;
		return this.#go(next);
	}

	#go(at: number): number {
		this.moved(at);
		return at;
	}

	/** The next rung below that works, else the next above, else where it is. */
	#nearest(now: number): number {
		const below = this.#below(this.at, now);
		if (below < this.at) return below;
		const above = this.#rungs.findIndex((_, place) => place > this.at && this.#isOpen(place, now));
		return above < 0 ? this.at : above;
	}

	#below(place: number, now: number): number {
		const found = this.#rungs.findLastIndex(
			(_, candidate) => candidate < place && this.#isOpen(candidate, now)
		);
		return found < 0 ? this.at : found;
	}

	#lowest(now: number): number {
		const found = this.#rungs.findIndex((_, place) => this.#isOpen(place, now));
		return found < 0 ? this.at : found;
	}

	#isOpen(place: number, now: number): boolean {
		return this.#seen.has(this.#rungs[place]?.name ?? '') && !this.#isBroken(place, now);
	}

	#isBroken(place: number, now: number): boolean {
		return (this.#broken.get(this.#rungs[place]?.name ?? '')?.until ?? now) > now;
	}

	#isHeld(place: number, now: number): boolean {
		const held = this.#rungs.findIndex((rung) => rung.name === this.#held.name);
		return held >= 0 && place >= held && now < this.#held.until;
	}
}

function wait(times: number): number {
	return Math.min(HOLD_MOST, HOLD_SECONDS * 2 ** (times - 1));
}
