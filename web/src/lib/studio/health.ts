/** What the health of a source says in words: where it was bad, how long, and what helps. */
import type { HealthSample } from '$lib/api';

export type BreachKind = 'silence' | 'bitrate' | 'frame_rate' | 'key_frames' | 'backlog' | 'jumps';

/** A time in which something was not as it should be. Times are Unix milliseconds. */
export interface Breach {
	kind: BreachKind;
	from: number;
	/** The end, not part of it. */
	to: number;
	/** The worst value: seconds, bits per second, frames per second, or how often, by kind. */
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
/** So much that waits to be sent, in milliseconds, is a delay that viewers have too. */
const BACKLOG_MS = 1000;
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
			({ keyframe_ms }) => above(keyframe_ms, KEY_FRAMES_MAX_S * 1000),
			Math.max
		),
		...runs(seconds, 'backlog', 0, ({ backlog_ms }) => above(backlog_ms, BACKLOG_MS), Math.max),
		...jumps(seconds)
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
	worse: (a: number, b: number) => number = Math.min
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
	return found.filter(({ from, to }) => to - from >= LASTING_S * SECOND_MS);
}

/** Seconds in which the count of jumps grew; it begins anew with each source. */
function jumps(seconds: readonly Second[]): Breach[] {
	const found: Breach[] = [];
	seconds.forEach(({ at, sample }, index) => {
		const grown = (sample.timestamp_jumps ?? 0) - (seconds[index - 1]?.sample.timestamp_jumps ?? 0);
		if (index === 0 || grown <= 0) return;
		const last = found.at(-1);
		if (last && at - last.to < 10 * SECOND_MS) {
			last.to = at + SECOND_MS;
			last.worst += grown;
		} else found.push({ kind: 'jumps', from: at, to: at + SECOND_MS, worst: grown, usual: 0 });
	});
	return found;
}

/** Seconds, of milliseconds that are over a limit. */
function above(ms: number | null | undefined, limit: number): number | null {
	return ms !== null && ms !== undefined && ms > limit ? ms / 1000 : null;
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
	/** The longest, in seconds. */
	keyFrames: number | null;
	/** The most that waited, in milliseconds. */
	backlog: number | null;
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
	const keys = known(samples.map(({ keyframe_ms }) => keyframe_ms));
	const backlogs = known(samples.map(({ backlog_ms }) => backlog_ms));
	return {
		at,
		bitrate: rates.length > 0 ? { least: Math.min(...rates), mean: mean(rates) } : null,
		frameRate: frames.length > 0 ? mean(frames) : null,
		keyFrames: keys.length > 0 ? Math.max(...keys) / 1000 : null,
		backlog: backlogs.length > 0 ? Math.max(...backlogs) : null
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
	/** In seconds. */
	keyframe: (number | null)[];
	backlog_ms: (number | null)[];
}

/** A second that is missing breaks the line: the picture did too. */
export function columns(samples: readonly HealthSample[]): Columns {
	const all: Columns = { at: [], bitrate: [], frame_rate: [], keyframe: [], backlog_ms: [] };
	const push = (at: number, sample: Partial<HealthSample>) => {
		all.at.push(at);
		all.bitrate.push(sample.bitrate ?? null);
		all.frame_rate.push(sample.frame_rate ?? null);
		all.keyframe.push(sample.keyframe_ms ? sample.keyframe_ms / 1000 : null);
		all.backlog_ms.push(sample.backlog_ms ?? null);
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
