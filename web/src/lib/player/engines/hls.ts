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
import type { Engine, EngineEvents, EngineStats, Failure, Level } from '../engine';

/** Seconds behind the newest part at which playback starts: a part and a half, and a little. */
const startLatency = (part: number) => 1.5 * part + 0.1;

export class HlsEngine implements Engine {
	readonly #hls: Hls;
	readonly #lowLatency: boolean;
	#mediaErrors = 0;

	constructor(events: EngineEvents, lowLatency: boolean) {
		this.#lowLatency = lowLatency;
		this.#hls = new Hls(settings(lowLatency, (part) => this.#startNear(part)));
		this.#hls.on(Events.MANIFEST_PARSED, () => events.levels());
		this.#hls.on(Events.LEVEL_SWITCHED, () => events.levels());
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
			height: level.height,
			frameRate: level.frameRate || null,
			bitrate: level.averageBitrate || level.bitrate
		}));
	}

	setLevel(id: number) {
		this.#hls.nextLevel = id;
	}

	chosenLevel(): number {
		return this.#hls.autoLevelEnabled ? -1 : this.#hls.nextLevel;
	}

	stats(): EngineStats {
		const level = this.#hls.levels[this.#hls.currentLevel];
		const estimate = this.#hls.bandwidthEstimate;
		return {
			engine: `hls.js ${Hls.version}`,
			videoCodec: level?.videoCodec ?? null,
			audioCodec: level?.audioCodec ?? null,
			level: this.levels()[this.#hls.currentLevel] ?? null,
			bandwidth: Number.isFinite(estimate) ? estimate : null,
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
		capLevelToPlayerSize: true,
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
