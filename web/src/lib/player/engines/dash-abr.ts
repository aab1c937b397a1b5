/**
 * The automatic choice of a quality in Shaka Player, in place of its own, which measures the server's waiting for the
 * next frames of a low-latency stream as if it were the link. The decisions are those of `Chooser`.
 */
import type shaka from 'shaka-player/dist/shaka-player.dash-es2021';
import { Arrival, type Chunk } from '../abr/arrival';
import { Chooser } from '../abr/chooser';
import { tooSlow, worthLeaving } from '../abr/flight';
import { listed, look } from '../abr/look';
import { bandwidth, rememberBandwidth } from '../abr/memory';
import { Meter } from '../abr/meter';

const TICK_MS = 100;
const LOOK_MS = 500;
const REMEMBER_MS = 10_000;
/** A quality that sends nothing for so long, in seconds, has nothing to show yet. */
const BEGINS_WITHIN = 1;
/** So long, in seconds, a chunk must have been under way before its rate is believed. */
const STEADY = 0.25;
/** Seconds of buffer below which silence is dangerous. */
const NEARLY_EMPTY = 0.3;

const seconds = () => performance.now() / 1000;

/** A segment of the picture on its way. */
interface Transfer {
	name: string;
	/** Bits per second of the quality. */
	bitrate: number;
	since: number;
	first: number | null;
	/** Where the segment begins and ends, in seconds of the presentation. */
	from: number;
	to: number;
	arrival: Arrival;
}

/** What a request for a segment of the picture is made for. */
interface Picture {
	stream: shaka.extern.Stream;
	segment: shaka.media.SegmentReference;
}

export class DashAbr implements shaka.extern.AbrManager {
	readonly #chooser = new Chooser();
	readonly #meter = new Meter();
	readonly #over = new AbortController();
	readonly #timers: ReturnType<typeof setInterval>[];
	#variants: shaka.extern.Variant[] = [];
	#switch: shaka.extern.AbrManager.SwitchCallback | null = null;
	#video: HTMLMediaElement | null = null;
	#playlists: Promise<Map<string, string>> | undefined;
	#transfer: Transfer | null = null;
	#enabled = false;
	#begun = false;
	#saver = false;
	#looking = false;
	/** What is loading is to be given up: the quality has changed before its segment was over. */
	#givenUp = false;

	constructor() {
		this.#timers = [
			setInterval(this.#tick, TICK_MS),
			setInterval(this.#look, LOOK_MS),
			setInterval(this.#remember, REMEMBER_MS)
		];
	}

	/** Follows what is loaded; `multivariant` is the HLS playlist that lists the same qualities. */
	follow(
		network: shaka.net.NetworkingEngine,
		segment: shaka.net.NetworkingEngine.RequestType,
		multivariant: string
	) {
		this.#playlists = listed(multivariant, this.#over.signal);
		network.registerRequestFilter((type, request, context) => {
			if (type === segment && isPicture(context)) this.#began(request, context);
		});
		network.registerResponseFilter((type, _, context) => {
			if (type === segment && isPicture(context)) this.#ended();
		});
	}

	/** Bits per second of the link, `null` before anything was measured. */
	get bandwidth(): number | null {
		return this.#meter.bits;
	}

	/** Whether the choice is to save data. */
	set saver(on: boolean) {
		this.#saver = on;
		if (this.#begun) this.#choose();
	}

	/** The quality that is played was chosen by somebody else. */
	moved(name: string) {
		const at = this.#variants.findIndex((variant) => nameOf(variant) === name);
		if (at >= 0) this.#chooser.moved(at);
	}

	// What Shaka Player asks of the choice.
	init(change: shaka.extern.AbrManager.SwitchCallback) {
		this.#switch = change;
	}

	setMediaElement(video: HTMLMediaElement | null) {
		this.#video = video;
	}

	setVariants(variants: shaka.extern.Variant[]): boolean {
		const one = new Map(variants.map((variant) => [nameOf(variant), variant]));
		const sorted = [...one.values()].sort((a, b) => a.bandwidth - b.bandwidth);
		const same = sorted.length === this.#variants.length && sorted.every((v, at) => v === this.#variants[at]);
		if (same) return false;
		this.#variants = sorted;
		this.#chooser.rungs = sorted.map((variant) => ({
			name: nameOf(variant),
			bitrate: variant.bandwidth,
			width: variant.video?.width ?? 0,
			height: variant.video?.height ?? 0
		}));
		return true;
	}

	chooseVariant(): shaka.extern.Variant {
		this.#limit();
		if (!this.#begun) {
			this.#begun = true;
			this.#chooser.begin(bandwidth(), seconds());
		}
		return this.#variants[this.#chooser.at] as shaka.extern.Variant;
	}

	enable() {
		this.#enabled = true;
	}

	disable() {
		this.#enabled = false;
	}

	getBandwidthEstimate(): number {
		// Shaka gives up what it loads only if it believes that the other quality is there before the buffer is empty; of
		// segments that come while they are made it cannot tell.
		if (this.#givenUp) return Number.MAX_SAFE_INTEGER;
		return this.#meter.bits ?? bandwidth();
	}

	stop() {
		this.#enabled = false;
		this.#switch = null;
		this.#transfer = null;
	}

	release() {
		this.stop();
		this.#remember();
		this.#over.abort();
		this.#timers.forEach(clearInterval);
	}

	configure() {}

	playbackRateChanged() {}

	segmentDownloaded() {}

	setCmsdManager() {}

	trySuggestStreams() {}

	#began(request: shaka.extern.Request, { stream, segment }: Picture) {
		const transfer: Transfer = {
			name: stream.originalId ?? '',
			bitrate: stream.bandwidth ?? 0,
			since: seconds(),
			first: null,
			from: segment.getStartTime(),
			to: segment.getEndTime(),
			arrival: new Arrival()
		};
		this.#transfer = transfer;
		this.#givenUp = false;
		const inner = request.streamDataCallback;
		request.streamDataCallback = async (data) => {
			this.#came(transfer, bytes(data));
			await inner?.(data);
		};
	}

	#came(transfer: Transfer, piece: Uint8Array) {
		const now = seconds();
		transfer.first ??= now;
		this.#chooser.works(transfer.name);
		for (const chunk of transfer.arrival.take(piece, now)) this.#meter.add(measured(chunk, transfer.bitrate));
	}

	#ended() {
		this.#transfer = null;
		this.#choose();
	}

	#choose() {
		this.#limit();
		const before = this.#chooser.at;
		const at = this.#enabled ? this.#chooser.choose(this.#reading(this.#meter.bits)) : before;
		if (at !== before) this.#go(at, false);
	}

	/** Changes after the segment that is loading, or at once and without the rest of it. */
	#go(at: number, now: boolean) {
		const variant = this.#variants[at];
		this.#meter.moved();
		if (!variant || !this.#switch) return;
		if (now) this.#transfer = null;
		this.#givenUp = now;
		this.#switch(variant, false, 0);
	}

	#limit() {
		const scale = globalThis.devicePixelRatio || 1;
		const { clientWidth = 0, clientHeight = 0 } = this.#video ?? {};
		this.#chooser.limit({ width: clientWidth * scale, height: clientHeight * scale }, this.#saver);
	}

	#reading(bits: number | null) {
		return { now: seconds(), bandwidth: bits, load: this.#meter.load, buffer: ahead(this.#video) };
	}

	readonly #tick = () => {
		const transfer = this.#transfer;
		const video = this.#video;
		if (!transfer || !this.#enabled || !video || video.paused || video.readyState < 1) return;
		const now = seconds();
		const buffer = ahead(video);
		if (transfer.first === null) {
			if (now - transfer.since > BEGINS_WITHIN && buffer < NEARLY_EMPTY) this.#leave(transfer.name);
			return;
		}
		const chunk = transfer.arrival.pending(now);
		if (!chunk || chunk.seconds < STEADY) return;
		const { bitrate, from, to } = transfer;
		const length = media(chunk, bitrate);
		const begun = Math.max(0, video.currentTime + buffer + length - from);
		const left = Math.max(0, to - from - begun);
		// The quality changes with the next segment: it matters whether the rest of this one comes in time.
		const rest = (left * bitrate) / 8;
		const flight = { elapsed: chunk.seconds, waited: 0, loaded: chunk.bytes, expected: chunk.size + rest };
		const bits = tooSlow({ ...flight, media: length + left }, buffer + left);
		if (bits === null) return;
		if (bits > 0) this.#meter.restart(bits);
		const reading = this.#reading(bits);
		const instead = this.#chooser.rungs[this.#chooser.refuge(reading)]?.bitrate ?? 0;
		const missing = Math.max(0, chunk.size - chunk.bytes);
		const place = { rate: bits, bitrate, instead, begun, left, missing };
		const before = this.#chooser.at;
		if (worthLeaving(place) && this.#chooser.hurry(reading) !== before) this.#go(this.#chooser.at, true);
	};

	/** What is planned is listed before it exists. */
	#leave(name: string) {
		if (isSource(name)) return;
		const before = this.#chooser.at;
		this.#chooser.works('video');
		this.#chooser.fails(name, seconds());
		const at = this.#chooser.choose(this.#reading(this.#meter.bits));
		if (at !== before) this.#go(at, true);
	}

	/** Looks, one after another, whether there are media in the qualities that are not played. */
	readonly #look = async () => {
		const rung = this.#chooser.unseen(seconds());
		if (!rung || this.#looking || this.#variants.length < 2 || (this.#video?.currentTime ?? 0) === 0) return;
		this.#looking = true;
		const address = (await this.#playlists)?.get(rung.name);
		const works = address !== undefined && (await look(address, this.#over.signal));
		this.#looking = false;
		if (works) this.#chooser.works(rung.name);
		else this.#chooser.fails(rung.name, seconds());
	};

	readonly #remember = () => {
		if (this.#meter.bits !== null) rememberBandwidth(this.#meter.bits);
	};
}

/** Whether a representation is the picture as the broadcaster sends it. */
export function isSource(name: string | null): boolean {
	return name === 'video';
}

function isPicture(context: shaka.extern.RequestContext | undefined): context is Picture {
	return context?.stream?.type === 'video' && !!context.segment;
}

function nameOf(variant: shaka.extern.Variant): string {
	return variant.video?.originalId ?? String(variant.id);
}

function bytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
	return ArrayBuffer.isView(data)
		? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
		: new Uint8Array(data);
}

function measured(chunk: Chunk, bitrate: number) {
	const whole = chunk.bytes > 0 ? chunk.seconds : 0;
	return { bytes: chunk.bytes || chunk.size, seconds: whole, whole, media: media(chunk, bitrate) };
}

/** Seconds of media in a chunk, by the rate that was promised. */
function media({ size }: Chunk, bitrate: number): number {
	return bitrate > 0 ? (size * 8) / bitrate : 0;
}

function ahead(video: HTMLMediaElement | null): number {
	if (!video) return 0;
	const { buffered, currentTime } = video;
	for (let i = 0; i < buffered.length; i++) {
		if (buffered.start(i) <= currentTime + 0.1 && currentTime <= buffered.end(i)) {
			return buffered.end(i) - currentTime;
		}
	}
	return 0;
}
