/** What is remembered of the link and of the viewer's wish between visits. */
import { assumed, type Connection } from './rungs';

const SAVER = 'headwater.saver';
const BANDWIDTH = 'headwater.bandwidth';
/** A link measured longer ago may be another one. */
const FRESH_MS = 24 * 3600_000;

function connection(): Connection | undefined {
	return (navigator as Navigator & { connection?: Connection }).connection;
}

/** Whether to save data: as the viewer chose here, else as the browser says. */
export function saver(): boolean {
	const stored = localStorage.getItem(SAVER);
	return stored === null ? connection()?.saveData === true : stored === '1';
}

export function rememberSaver(on: boolean) {
	localStorage.setItem(SAVER, on ? '1' : '0');
}

/** Bits per second to begin with. */
export function bandwidth(): number {
	return assumed(parse(localStorage.getItem(BANDWIDTH), Date.now()), connection());
}

export function rememberBandwidth(bits: number) {
	localStorage.setItem(BANDWIDTH, `${Math.round(bits)}@${Date.now()}`);
}

/** The bits per second in what was stored, `null` when that is too old or none. */
export function parse(stored: string | null, now: number): number | null {
	const [, bits, at] = /^(\d+)@(\d+)$/.exec(stored ?? '') ?? [];
	const fresh = now - Number(at) < FRESH_MS;
	return bits && Number(bits) > 0 && fresh ? Number(bits) : null;
}
