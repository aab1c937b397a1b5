/** The qualities among which the automatic choice chooses, worst first, and how far up it may go. */
export interface Rung {
	/** The same for the same quality as long as the broadcast lasts. */
	name: string;
	/** Bits per second on average, with sound. */
	bitrate: number;
	width: number;
	height: number;
}

/** What data saver allows the automatic choice. */
export const SAVER = { lines: 480, bitrate: 1_500_000 };

/** How much of the link a quality may need that is begun with, or gone up to. */
export const UP_SHARE = 0.7;

/** What is assumed of a link nobody knows anything of, in bits per second. */
const UNKNOWN = 3e6;

/** Lines of a picture as people count them: of a portrait one, across. */
export function lines(size: { width: number; height: number }): number {
	return size.width > 0 ? Math.min(size.width, size.height) : size.height;
}

/** The best rung that makes sense in a player of so many device pixels; what is not known (0) does not limit. */
export function most(rungs: Rung[], player: { width: number; height: number }, saver: boolean): number {
	const side = Math.max(player.width, player.height);
	const enough = side > 0 ? rungs.findIndex((rung) => Math.max(rung.width, rung.height) >= side) : -1;
	const bySize = enough < 0 ? rungs.length - 1 : enough;
	if (!saver) return bySize;
	const saving = rungs.findLastIndex((rung) => lines(rung) <= SAVER.lines && rung.bitrate <= SAVER.bitrate);
	return Math.min(bySize, Math.max(0, saving));
}

/** The rung to begin with on a link of so many bits per second. */
export function first(rungs: Rung[], bandwidth: number, limit: number): number {
	const fits = rungs.findLastIndex((rung, place) => place <= limit && rung.bitrate <= UP_SHARE * bandwidth);
	return Math.max(0, fits);
}

/** What a browser says of its network, where it says anything. */
export interface Connection {
	/** Megabits per second, at most 10, and a guess on a new network. */
	downlink?: number;
	/** The kind of network that it is like: `4g` and better, or one that is slower. */
	effectiveType?: string;
	saveData?: boolean;
}

/** The link as it is known before anything is loaded: by the last visit, else by the browser. */
export function assumed(remembered: number | null, connection: Connection | undefined): number {
	const told = connection?.downlink ? connection.downlink * 1e6 * UP_SHARE : UNKNOWN;
	const slow = /2g|3g/.test(connection?.effectiveType ?? '');
	const known = remembered ?? (slow ? told : Math.max(told, UNKNOWN));
	return connection?.saveData ? Math.min(known, 1e6) : known;
}
