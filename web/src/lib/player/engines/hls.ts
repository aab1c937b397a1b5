/** HLS and Low-Latency HLS by hls.js. */
import Hls, {
	Events,
	ErrorTypes,
	type ErrorData,
	type HlsConfig,
	type LoaderCallbacks,
	type LoaderConfiguration,
	type LoaderContext
} from 'hls.js';
import { text } from '../abr/look';
import { asksForSoundAlone, count, variants } from '../abr/saved';
import type { Engine, EngineEvents, EngineStats, Failure, Level, Sound } from '../engine';
import { type ListedSound, listedSounds } from '../sounds';
import { automatic, hasPicture, isSource, type HlsAbr } from './hls-abr';

/** Seconds behind the newest part at which playback starts: a part and a half, and a little. */
const startLatency = (part: number) => 1.5 * part + 0.1;

/** When whoever got the source alone looks for more, in milliseconds: qualities are planned once the source is known. */
const LOOK_FOR_MORE_MS = [2000, 5000, 15_000];

export class HlsEngine implements Engine {
	readonly #hls: Hls;
	readonly #lowLatency: boolean;
	#abr: HlsAbr | undefined;
	#mediaErrors = 0;
	/** Qualities of the picture in the multivariant playlist, also those that this browser cannot play. */
	#listed = 0;
	/** The sounds to choose from where there is no picture, and which of them is played. */
	#alone: ListedSound[] = [];
	#aloneAt = 0;
	readonly #events: EngineEvents;
	readonly #over = new AbortController();

	constructor(events: EngineEvents, lowLatency: boolean) {
		this.#events = events;
		this.#lowLatency = lowLatency;
		this.#hls = new Hls({
			...settings(lowLatency, {
				part: (part) => this.#startNear(part),
				listed: (qualities) => {
					this.#listed = qualities;
				}
			}),
			...automatic((abr) => {
				this.#abr = abr;
			})
		});
		for (const event of [
			Events.MANIFEST_PARSED,
			Events.LEVELS_UPDATED,
			Events.LEVEL_SWITCHING,
			Events.LEVEL_SWITCHED,
			Events.AUDIO_TRACKS_UPDATED,
			Events.AUDIO_TRACK_SWITCHED
		] as const) {
			this.#hls.on(event, () => events.levels());
		}
		this.#hls.on(Events.ERROR, (_, data) => this.#failed(data, events));
	}

	static supported(): boolean {
		return Hls.isSupported();
	}

	attach(video: HTMLVideoElement) {
		this.#hls.attachMedia(video);
	}

	async load(url: string) {
		if (asksForSoundAlone(url)) return this.#loadSoundAlone(url);
		this.#hls.once(Events.MANIFEST_PARSED, () => void this.#lookForMore(url));
		this.#hls.loadSource(url);
	}

	/** Beside a variant without a picture hls.js may load no other sound: each is loaded for itself. */
	async #loadSoundAlone(url: string) {
		const { signal } = this.#over;
		this.#alone = listedSounds(await text(url, signal), new URL(url, location.href));
		if (signal.aborted) return;
		this.#events.levels();
		this.#hls.loadSource(this.#alone[this.#aloneAt]?.address ?? url);
	}

	destroy() {
		this.#over.abort();
		this.#hls.destroy();
	}

	playingAt(): number | null {
		return this.#hls.playingDate?.getTime() ?? null;
	}

	grain(): number | null {
		const details = this.#hls.latestLevelDetails;
		if (!details) return null;
		return (this.#lowLatency && details.partTarget) || details.targetduration;
	}

	levels(): Level[] {
		const all = this.#hls.levels.map((level, id) => ({
			id,
			width: level.width,
			height: level.height,
			frameRate: level.frameRate || null,
			bitrate: level.averageBitrate || level.bitrate,
			source: isSource(level.uri)
		}));
		return all.filter(({ id }) => hasPicture(this.#hls.levels[id]));
	}

	setLevel(id: number) {
		// At the live edge next to nothing is in the buffer, and loading that again would only make a pause.
		if (this.#lowLatency) this.#hls.loadLevel = id;
		else this.#hls.nextLevel = id;
	}

	chosenLevel(): number {
		return this.#hls.manualLevel;
	}

	shownLevel(): number {
		return this.#hls.currentLevel;
	}

	canSave(): boolean {
		return this.#hls.levels.length > 1;
	}

	setSaver(on: boolean) {
		if (this.#abr) this.#abr.saver = on;
	}

	sounds(): Sound[] {
		if (this.#alone.length > 0) return this.#alone.map(({ name, language }, id) => ({ id, name, language }));
		return this.#hls.audioTracks.map(({ name, lang }, id) => ({
			id,
			name,
			language: lang && lang !== 'und' ? lang : null
		}));
	}

	setSound(id: number) {
		const alone = this.#alone[id];
		if (!alone) {
			this.#hls.audioTrack = id;
			return;
		}
		this.#aloneAt = id;
		if (this.#hls.url) this.#hls.loadSource(alone.address);
		this.#events.levels();
	}

	chosenSound(): number {
		return this.#alone.length > 0 ? this.#aloneAt : this.#hls.audioTrack;
	}

	stats(): EngineStats {
		const level = this.#hls.levels[this.#hls.currentLevel];
		return {
			engine: `hls.js ${Hls.version}`,
			videoCodec: level?.videoCodec ?? null,
			audioCodec: level?.audioCodec ?? null,
			level: this.levels().find(({ id }) => id === this.#hls.currentLevel) ?? null,
			bandwidth: this.#abr?.bandwidth ?? null,
			target: this.#hls.targetLatency
		};
	}

	async #lookForMore(url: string) {
		for (const wait of LOOK_FOR_MORE_MS) {
			await new Promise((resolve) => setTimeout(resolve, wait));
			if (this.#over.signal.aborted || this.#listed > 1) return;
			const now = await count(url, this.#over.signal);
			if (now > 1 && !this.#over.signal.aborted) return this.#events.more();
		}
	}

	/** Sets where playback begins before hls.js chooses its first part: PART-HOLD-BACK is for players without a pacer. */
	#startNear(part: number) {
		if (this.#lowLatency && this.#hls.config.liveSyncDuration === undefined) {
			this.#hls.targetLatency = startLatency(part);
		}
	}

	#failed(data: ErrorData, events: EngineEvents) {
		if (!data.fatal) return;
		if (data.type === ErrorTypes.MEDIA_ERROR && this.#mediaErrors++ < 2) {
			this.#hls.recoverMediaError();
			return;
		}
		events.failure(failure(data));
	}
}

function failure(data: ErrorData): Failure {
	const status = data.response?.code ? `, HTTP ${data.response.code}` : '';
	const kind = data.type === ErrorTypes.NETWORK_ERROR ? 'network' : 'media';
	return { kind, detail: `${data.details}${status}` };
}

function settings(lowLatency: boolean, read: Read): Partial<HlsConfig> {
	return {
		lowLatencyMode: lowLatency,
		// CMAF needs no transmuxing: a worker would be 36 KB more, and was not quicker when measured.
		enableWorker: false,
		startFragPrefetch: true,
		testBandwidth: false,
		liveDurationInfinity: true,
		// The server keeps a minute; what was seen of it can be seen again without a request.
		backBufferLength: 60,
		// The pacer of this player regulates the speed: hls.js itself only does so with a second of reserve.
		maxLiveSyncPlaybackRate: 1,
		pLoader: playlistLoader(read) as unknown as HlsConfig['pLoader']
	};
}

/** What is read in playlists on their way through. */
interface Read {
	/** PART-TARGET, in seconds. */
	part(seconds: number): void;
	/** How many qualities of the picture the multivariant playlist lists. */
	listed(qualities: number): void;
}

/** A playlist loader that reads along. */
function playlistLoader(read: Read) {
	const Base = Hls.DefaultConfig.loader;
	return class extends Base {
		override load(
			context: LoaderContext,
			config: LoaderConfiguration,
			callbacks: LoaderCallbacks<LoaderContext>
		) {
			const done = callbacks.onSuccess;
			callbacks.onSuccess = (response, stats, where, details) => {
				const text = typeof response.data === 'string' ? response.data : '';
				const part = /PART-TARGET=([\d.]+)/.exec(text)?.[1];
				if (part) read.part(Number(part));
				const qualities = variants(text);
				if (qualities > 0) read.listed(qualities);
				done(response, stats, where, details);
			};
			super.load(context, config, callbacks);
		}
	};
}
