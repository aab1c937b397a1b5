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

/** Whether a viewer would call both the same, also where another engine has read them. */
export function sameSound(a: Sound, b: Sound | null): boolean {
	return b !== null && a.name === b.name && a.language === b.language;
}

/** Whether the sound alone is worth a choice: there is one, and its picture comes in more than one quality. */
export function offersSoundAlone(stream: { qualities: boolean; sound: boolean; chosen: boolean }): boolean {
	return stream.chosen || (stream.qualities && stream.sound);
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
