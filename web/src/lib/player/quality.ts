/** What qualities and sounds are called, and how they are put in order. */
import { lines } from './abr/rungs';
import type { Level, Sound } from './engine';

/** `720p`, `1080p60`: the lines, and the rate where it is more than the usual. */
export function quality(level: Pick<Level, 'width' | 'height' | 'frameRate'>): string {
	const rate = Math.round(level.frameRate ?? 0);
	return `${lines(level)}p${rate > 31 ? rate : ''}`;
}

/** The best first. */
export function byQuality(a: Level, b: Level): number {
	return lines(b) - lines(a) || (b.frameRate ?? 0) - (a.frameRate ?? 0) || b.bitrate - a.bitrate;
}

/** Whether a viewer would call both the same. */
export function same(a: Level, b: Level | null): boolean {
	return b !== null && a.source === b.source && quality(a) === quality(b);
}

/** The name of a sound with its language, in the words of the reader. */
export function sound({ name, language }: Sound, reader?: string): string {
	if (language === null) return name;
	let known: string | undefined;
	try {
		known = new Intl.DisplayNames(reader, { type: 'language' }).of(language);
	} catch {
		known = language;
	}
	return known && known !== name ? `${name} (${known})` : name;
}
