/** The server's JSON, typed, and the server's clock. */
import { ServerClock } from '../clock';

/** A live stream as `GET /api/v1/live` lists it. Rates are in bits per second, times RFC 3339 or Unix milliseconds. */
export interface Stream {
	name: string;
	id: string;
	state: 'live' | 'waiting';
	started_at: string | number;
	viewers: number;
	width?: number | null;
	height?: number | null;
	frame_rate?: number | null;
	video_codec?: string | null;
	audio_codec?: string | null;
	bitrate?: number | null;
}

/** One stream with its addresses, as `GET /api/v1/live/NAME` answers. */
export interface Playback extends Stream {
	hls: string;
	dash: string;
	still: string;
	now_ms: number;
	/** The RTMP address to play from, when it is not port 1935 of this host. */
	rtmp?: string;
}

/** The server's clock as seen by every answer that carries `now_ms`. */
export const clock = new ServerClock();

/** An answer: the value, `null` for "there is none" (404). Anything else throws. */
async function get<T>(path: string): Promise<T | null> {
	const response = await fetch(path, { headers: { accept: 'application/json' }, cache: 'no-store' });
	if (response.status === 404) return null;
	if (!response.ok) throw new Error(`the server answered ${response.status} to ${path}`);
	return (await response.json()) as T;
}

/** What `GET /api/v1/live` answers. */
export interface Listing {
	streams: Stream[];
	/** The RTMP address to publish to, without the stream key, when it is not port 1935 of this host. */
	publish?: string;
}

/** All streams: those with a picture first, then by viewers. */
export async function listing(): Promise<Listing> {
	const answer = (await get<Listing>('/api/v1/live')) ?? { streams: [] };
	return { ...answer, streams: answer.streams.toSorted(byInterest) };
}

function byInterest(a: Stream, b: Stream): number {
	const live = Number(b.state === 'live') - Number(a.state === 'live');
	return live || b.viewers - a.viewers || a.name.localeCompare(b.name);
}

/** One stream, or `null` when nobody publishes under that name. */
export async function playback(name: string): Promise<Playback | null> {
	const sent = Date.now();
	const answer = await get<Playback>(`/api/v1/live/${encodeURIComponent(name)}`);
	if (answer) clock.observe(sent, Date.now(), answer.now_ms);
	return answer;
}

/**
 * What the server wrote into the page for this route, if anything: saves the first round trip. Good for one use: the
 * viewer may come back to the route when it is long out of date.
 */
export function embedded(name: string): Playback | null {
	const block = document.getElementById('playback');
	block?.remove();
	const text = block?.textContent;
	if (!text) return null;
	try {
		const data = JSON.parse(text) as Playback;
		return data.name === name ? data : null;
	} catch {
		return null;
	}
}

/** Unix milliseconds of a time in the API's answers. */
export function millis(time: string | number): number {
	return typeof time === 'number' ? time : Date.parse(time);
}

/** Where a stream can be played from; guesses the contract's defaults until the server has answered. */
export function addresses(name: string, known: Playback | null, origin: URL | Location) {
	const path = encodeURIComponent(name);
	return {
		hls: new URL(known?.hls ?? `/live/${path}.m3u8`, origin.origin).href,
		dash: new URL(known?.dash ?? `/live/${path}.mpd`, origin.origin).href,
		rtmp: known?.rtmp ?? `rtmp://${origin.hostname}:1935/live/${path}`
	};
}
