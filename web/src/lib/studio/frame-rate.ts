/**
 * The frame rate of a source as people call it. The server counts the frames of each second, and a second that begins
 * or ends between two frames has one more or less: what the encoder was set to shows only over a longer time.
 */

/** Seconds that count. */
const WINDOW = 15;
/** Before so many are there, the first one, which is rarely a whole second, would weigh too much. */
const ENOUGH = 3;
/** What encoders are set to. */
const USUAL = [24, 25, 30, 50, 60];
/** How far a measured rate may be from the one that is meant. */
const TOLERANCE = 0.1;

/** The newest measurements, after another one. */
export function measured(before: readonly number[], rate: number | null): readonly number[] {
	return rate === null ? before : [...before, rate].slice(-WINDOW);
}

/** The usual rate that the measurements mean, or their own median where that is none; `null` before there is enough. */
export function nominal(rates: readonly number[]): number | null {
	if (rates.length < ENOUGH) return null;
	const median = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)];
	if (!median) return null;
	const off = (rate: number) => Math.abs(median - rate) / rate;
	const [nearest] = USUAL.toSorted((a, b) => off(a) - off(b));
	return nearest !== undefined && off(nearest) <= TOLERANCE ? nearest : Math.round(median);
}
