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
import type { Engine, EngineEvents, EngineStats, Failure, Level, Sound } from '../engine';
import { automatic, isSource, type HlsAbr } from './hls-abr';

/** Seconds behind the newest part at which playback starts: a part and a half, and a little. */
const startLatency = (part: number) => 1.5 * part + 0.1;

export class HlsEngine implements Engine {
	readonly #hls: Hls;
	readonly #lowLatency: boolean;
	#abr: HlsAbr | undefined;
	#mediaErrors = 0;

	constructor(events: EngineEvents, lowLatency: boolean) {
		this.#lowLatency = lowLatency;
		this.#hls = new Hls({
			...settings(lowLatency, (part) => this.#startNear(part)),
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

	load(url: string) {
		this.#hls.loadSource(url);
	}

	destroy() {
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
		return this.#hls.levels.map((level, id) => ({
			id,
			width: level.width,
			height: level.height,
			frameRate: level.frameRate || null,
			bitrate: level.averageBitrate || level.bitrate,
			source: isSource(level.uri)
		}));
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
		return this.#hls.audioTracks.map(({ name, lang }, id) => ({
			id,
			name,
			language: lang && lang !== 'und' ? lang : null
		}));
	}

	setSound(id: number) {
		this.#hls.audioTrack = id;
	}

	chosenSound(): number {
		return this.#hls.audioTrack;
	}

	stats(): EngineStats {
		const level = this.#hls.levels[this.#hls.currentLevel];
		return {
			engine: `hls.js ${Hls.version}`,
			videoCodec: level?.videoCodec ?? null,
			audioCodec: level?.audioCodec ?? null,
			level: this.levels()[this.#hls.currentLevel] ?? null,
			bandwidth: this.#abr?.bandwidth ?? null,
			target: this.#hls.targetLatency
		};
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

function settings(lowLatency: boolean, onPart: (part: number) => void): Partial<HlsConfig> {
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
		pLoader: playlistLoader(onPart) as unknown as HlsConfig['pLoader']
	};
}

/** A playlist loader that reads PART-TARGET on the way through. */
function playlistLoader(onPart: (part: number) => void) {
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
				if (part) onPart(Number(part));
				done(response, stats, where, details);
			};
			super.load(context, config, callbacks);
		}
	};
}
