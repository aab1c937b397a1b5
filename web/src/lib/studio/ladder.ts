/** The qualities of a stream as its creator edits them: what stands in the fields, and what is sent. */
import type { LadderRung, PlannedRung, StreamLadder } from '$lib/api';

export type LadderMode = StreamLadder['mode'];
export type RungCodec = LadderRung['codec'];

/** One rung as it stands in the fields. */
export interface RungDraft {
	/** Of the row, not of the rung: it stays when the name is typed anew. */
	key: number;
	name: string;
	/** Pixels of the shorter side. */
	size: string;
	frameRate: string;
	/** Thousands of bits per second. */
	kilobits: string;
	codec: RungCodec;
}

export interface LadderDraft {
	mode: LadderMode;
	preset: string;
	rungs: RungDraft[];
}

export const RUNGS_MAX = 8;

/** What an ordinary ladder goes down by. */
const USUAL = [
	[1080, 60, 5500],
	[720, 60, 3200],
	[480, 30, 1100],
	[360, 30, 700],
	[240, 30, 350],
	[144, 30, 150]
] as const;

/** The smallest there may be. */
const LEAST = [120, 15, 80] as const;

let keys = 0;

/** What stands in the fields for a ladder that is saved. */
export function draft(ladder: StreamLadder, preset: string): LadderDraft {
	return {
		mode: ladder.mode,
		preset: ladder.mode === 'preset' ? ladder.preset : preset,
		rungs: ladder.mode === 'rungs' ? ladder.rungs.map(row) : []
	};
}

/** What is sent for what stands in the fields. A field that holds no number is sent as one that is refused, by name. */
export function ladder({ mode, preset, rungs }: LadderDraft): StreamLadder {
	if (mode === 'preset') return { mode, preset };
	if (mode === 'rungs') return { mode, rungs: rungs.map(rung) };
	return { mode };
}

/** Rows that begin with what viewers would get now: those that are made of a picture. */
export function suggested(planned: PlannedRung[]): RungDraft[] {
	const rungs = planned.slice(0, RUNGS_MAX).map(({ name, width, height, frame_rate: rate, bitrate }) =>
		row({
			name,
			size: Math.min(width, height),
			frame_rate_max: Math.max(1, Math.ceil(rate ?? 30)),
			bitrate,
			codec: 'avc'
		})
	);
	return rungs.length > 0 ? rungs : [another([])];
}

/** A further row: the next usual quality below the smallest that is there. */
export function another(rows: RungDraft[]): RungDraft {
	const sizes = rows.map(({ size }) => Number(size)).filter((size) => size > 0);
	const least = Math.min(...sizes, Number.POSITIVE_INFINITY);
	const [size, rate, kilobits] = USUAL.find(([lines]) => lines < Math.min(least, 1080)) ?? LEAST;
	const base = `${size}p`;
	const taken = new Set(rows.map(({ name }) => name));
	let name = base;
	for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
	return row({ name, size, frame_rate_max: rate, bitrate: kilobits * 1000, codec: 'avc' });
}

/** `0.18 cores`: a cost in thousandths of a processor. */
export function cores(thousandths: number): string {
	const value = thousandths / 1000;
	return `${value.toFixed(value < 10 ? 2 : 1)} cores`;
}

function row({ name, size, frame_rate_max: rate, bitrate, codec }: LadderRung): RungDraft {
	return {
		key: keys++,
		name,
		size: String(size),
		frameRate: String(rate),
		kilobits: String(Math.round(bitrate / 1000)),
		codec
	};
}

function rung({ name, size, frameRate, kilobits, codec }: RungDraft): LadderRung {
	return {
		name: name.trim(),
		size: whole(size),
		frame_rate_max: whole(frameRate),
		bitrate: whole(kilobits) * 1000,
		codec
	};
}

/** 1 is in the range of no size and no bit rate: the server says what is. */
function whole(text: string): number {
	const value = Number(text.trim() || 'none');
	return Number.isFinite(value) && value >= 0 ? Math.min(Math.round(value), 4_000_000) : 1;
}
