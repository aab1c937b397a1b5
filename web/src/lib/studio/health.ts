/** What the health of a source says in words: where it was bad, how long, and what helps. */
import type { HealthSample } from '$lib/api';

export type BreachKind = 'silence' | 'bitrate' | 'frame_rate' | 'key_frames' | 'uneven';

/** A time in which something was not as it should be. Times are Unix milliseconds. */
export interface Breach {
	kind: BreachKind;
	from: number;
	/** The end, not part of it. */
	to: number;
	/** The worst value: seconds, bits per second, frames per second, by kind. */
	worst: number;
	/** What is usual for this source, where there is such a thing. */
	usual: number;
}

/** Below this part of the usual bit rate, the uplink cannot keep up. */
const BITRATE_LOW = 0.5;
/** Below this part of the usual frame rate, the encoder cannot keep up. */
const FRAME_RATE_LOW = 0.85;
/** Seconds between key frames above which joining takes long and low latency suffers. */
export const KEY_FRAMES_MAX_S = 4;
/** A pause in milliseconds that viewers may see. */
const GAP_MS = 700;
/** How many seconds in a row make a breach of it; one odd second is nothing. */
const LASTING_S = 3;
const SECOND_MS = 1000;

interface Second {
	at: number;
	sample: HealthSample;
}

/** Every breach in samples that come in the order of time, one a second. */
export function breaches(samples: readonly HealthSample[]): Breach[] {
	const seconds = samples.map((sample) => ({ at: Date.parse(sample.at), sample }));
	const usual = {
		bitrate: median(seconds.map(({ sample }) => sample.bitrate)),
		frame_rate: median(seconds.map(({ sample }) => sample.frame_rate))
	};
	const found = [
		...silences(seconds),
		...runs(seconds, 'bitrate', usual.bitrate, ({ bitrate }) => below(bitrate, usual.bitrate * BITRATE_LOW)),
		...runs(seconds, 'frame_rate', usual.frame_rate, ({ frame_rate }) =>
			below(frame_rate, usual.frame_rate * FRAME_RATE_LOW)
		),
		...runs(
			seconds,
			'key_frames',
			2,
			({ key_frame_interval }) =>
				(key_frame_interval ?? 0) > KEY_FRAMES_MAX_S ? (key_frame_interval ?? null) : null,
			Math.max
		),
		...runs(
			seconds,
			'uneven',
			0,
			({ gap_ms }) => ((gap_ms ?? 0) >= GAP_MS ? (gap_ms ?? 0) / 1000 : null),
			Math.max,
			1
		)
	];
	return found.sort((a, b) => a.from - b.from);
}

/** Seconds that are not there, or in which nothing came. */
function silences(seconds: readonly Second[]): Breach[] {
	const found: Breach[] = [];
	const add = (from: number, to: number) => {
		const last = found.at(-1);
		if (last && last.to >= from) last.to = to;
		else found.push({ kind: 'silence', from, to, worst: 0, usual: 0 });
	};
	seconds.forEach(({ at, sample }, index) => {
		const before = seconds[index - 1];
		if (before && at - before.at >= 2 * SECOND_MS) add(before.at + SECOND_MS, at);
		if (sample.bitrate === 0) add(at, at + SECOND_MS);
	});
	return found
		.map((breach) => ({ ...breach, worst: (breach.to - breach.from) / 1000 }))
		.filter(({ worst }) => worst >= 2);
}

/** Runs of seconds for which `bad` gives a value. */
function runs(
	seconds: readonly Second[],
	kind: BreachKind,
	usual: number,
	bad: (sample: HealthSample) => number | null,
	worse: (a: number, b: number) => number = Math.min,
	lasting = LASTING_S
): Breach[] {
	const found: Breach[] = [];
	for (const { at, sample } of seconds) {
		const value = bad(sample);
		if (value === null) continue;
		const last = found.at(-1);
		if (last && at - last.to < 2 * SECOND_MS) {
			last.to = at + SECOND_MS;
			last.worst = worse(last.worst, value);
		} else found.push({ kind, from: at, to: at + SECOND_MS, worst: value, usual });
	}
	return found.filter(({ from, to }) => to - from >= lasting * SECOND_MS);
}

/** A value that is there, not zero (silence is another thing) and below a limit. */
function below(value: number | null, limit: number): number | null {
	return value !== null && value > 0 && value < limit ? value : null;
}

export function median(values: readonly (number | null)[]): number {
	const known = values.filter((value) => value !== null && value > 0) as number[];
	known.sort((a, b) => a - b);
	return known[Math.floor(known.length / 2)] ?? 0;
}

/** One minute of health, for a table. */
export interface Minute {
	at: number;
	bitrate: { least: number; mean: number } | null;
	frameRate: number | null;
	keyFrames: number | null;
	/** The longest pause, in milliseconds. */
	gap: number | null;
}

/** Samples by minutes, newest first. */
export function minutes(samples: readonly HealthSample[]): Minute[] {
	const byMinute = new Map<number, HealthSample[]>();
	for (const sample of samples) {
		const minute = Math.floor(Date.parse(sample.at) / 60_000) * 60_000;
		byMinute.set(minute, [...(byMinute.get(minute) ?? []), sample]);
	}
	return [...byMinute].map(([at, of]) => summary(at, of)).sort((a, b) => b.at - a.at);
}

function summary(at: number, samples: readonly HealthSample[]): Minute {
	const rates = known(samples.map(({ bitrate }) => bitrate));
	const frames = known(samples.map(({ frame_rate }) => frame_rate));
	const keys = known(samples.map(({ key_frame_interval }) => key_frame_interval));
	const gaps = known(samples.map(({ gap_ms }) => gap_ms));
	return {
		at,
		bitrate: rates.length > 0 ? { least: Math.min(...rates), mean: mean(rates) } : null,
		frameRate: frames.length > 0 ? mean(frames) : null,
		keyFrames: keys.length > 0 ? Math.max(...keys) : null,
		gap: gaps.length > 0 ? Math.max(...gaps) : null
	};
}

function known(values: readonly (number | null | undefined)[]): number[] {
	return values.filter((value) => value !== null && value !== undefined);
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Samples as columns for a graph: seconds since 1970, and each value; `null` where nothing is known. */
export interface Columns {
	at: number[];
	bitrate: (number | null)[];
	frame_rate: (number | null)[];
	key_frame_interval: (number | null)[];
	gap_ms: (number | null)[];
}

/** A second that is missing breaks the line: the picture did too. */
export function columns(samples: readonly HealthSample[]): Columns {
	const all: Columns = { at: [], bitrate: [], frame_rate: [], key_frame_interval: [], gap_ms: [] };
	const push = (at: number, sample: Partial<HealthSample>) => {
		all.at.push(at);
		all.bitrate.push(sample.bitrate ?? null);
		all.frame_rate.push(sample.frame_rate ?? null);
		all.key_frame_interval.push(sample.key_frame_interval ?? null);
		all.gap_ms.push(sample.gap_ms ?? null);
	};
	for (const sample of samples) {
		const at = Math.round(Date.parse(sample.at) / SECOND_MS);
		const before = all.at.at(-1);
		if (before !== undefined && at <= before) continue;
		if (before !== undefined && at > before + 1) push(before + 1, {});
		push(at, sample);
	}
	return all;
}

/** Samples with a newer one at the end, and without what is older than `from` (Unix milliseconds). */
export function appended(
	samples: readonly HealthSample[],
	newest: HealthSample,
	from: number
): readonly HealthSample[] {
	const last = samples.at(-1);
	if (last && Date.parse(last.at) >= Date.parse(newest.at)) return samples;
	return [...samples.filter(({ at }) => Date.parse(at) >= from), newest];
}
