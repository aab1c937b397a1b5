/** Numbers as people read them. */

/** `0:42`, `12:05`, `1:02:07`, `3 d 04:00`: how long something has been going on. */
export function duration(seconds: number): string {
	const s = Math.max(0, Math.floor(seconds));
	const two = (n: number) => String(n).padStart(2, '0');
	const [days, hours, minutes] = [Math.floor(s / 86_400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
	if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}`;
	if (hours > 0) return `${hours}:${two(minutes)}:${two(s % 60)}`;
	return `${minutes}:${two(s % 60)}`;
}

/** `950`, `1.2K`, `3.4M`. */
export function count(n: number): string {
	return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(n);
}

/** `2.5 Mb/s` or `640 kb/s` of bits per second. */
export function bitrate(bits: number): string {
	return bits >= 1_000_000 ? `${(bits / 1_000_000).toFixed(1)} Mb/s` : `${Math.round(bits / 1000)} kb/s`;
}

/** `0.8 s`, `12 s`: tenths only where they matter. */
export function latency(seconds: number): string {
	return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/** `720p30` of a picture height and a frame rate, `720p` when the rate is not known. */
export function picture(height: number, frameRate?: number | null): string {
	return `${height}p${frameRate ? Math.round(frameRate) : ''}`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
	['year', 365 * 86_400],
	['month', 30 * 86_400],
	['day', 86_400],
	['hour', 3600],
	['minute', 60]
];

/** `3 minutes ago`, `in 2 days`, `just now`: a time in Unix milliseconds as seen from `now`. */
export function relative(at: number, now: number): string {
	const seconds = (at - now) / 1000;
	const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
	if (!step) return seconds > 5 ? 'in a moment' : 'just now';
	const [unit, size] = step;
	return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
}

/** How the person who is signed in wants dates written, as a BCP 47 tag; the browser's own way when not set. */
export const region: { dates: string | undefined } = { dates: undefined };

/** `21 Nov 2026`: a day in the reader's time zone. */
export function day(at: string): string {
	return new Date(at).toLocaleDateString(region.dates, { day: 'numeric', month: 'short', year: 'numeric' });
}

/** `21 Nov 2026, 13:05:20`: an exact time in the reader's time zone. */
export function exact(at: string): string {
	return new Date(at).toLocaleString(region.dates, { dateStyle: 'medium', timeStyle: 'medium' });
}

const CODECS: [RegExp, string][] = [
	[/^(avc[13]|h264)/, 'H.264'],
	[/^(hvc1|hev1|hevc|h265)/, 'HEVC'],
	[/^av01|^av1/, 'AV1'],
	[/^vp0?9/, 'VP9'],
	[/^(mp4a\.40\.34|mp4a\.6b|mp3)/, 'MP3'],
	[/^(mp4a|aac)/, 'AAC'],
	[/^opus/, 'Opus'],
	[/^flac/, 'FLAC'],
	[/^ec-3|^eac3/, 'Dolby Digital Plus'],
	[/^ac-3|^ac3/, 'Dolby Digital']
];

/** The name people know a codec string by: `H.264` of `avc1.64001f`. */
export function codec(string: string): string {
	return CODECS.find(([pattern]) => pattern.test(string.toLowerCase()))?.[1] ?? string;
}
