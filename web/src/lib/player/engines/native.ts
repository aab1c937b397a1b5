/**
 * The browser's own HLS, for iPhones without ManagedMediaSource. It is never asked first: desktop Chromium says
 * "maybe" to HLS and plays it unreliably.
 */
import type { Engine, EngineEvents, EngineStats, Level } from '../engine';

/** Safari tells the wall clock of its timeline; the types of the DOM do not know it. */
type VideoWithDate = HTMLVideoElement & { getStartDate?: () => Date };

export class NativeEngine implements Engine {
	readonly #events: EngineEvents;
	#video: VideoWithDate | null = null;

	constructor(events: EngineEvents) {
		this.#events = events;
	}

	static supported(): boolean {
		return document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
	}

	attach(video: HTMLVideoElement) {
		this.#video = video;
		video.addEventListener('error', this.#failed);
	}

	load(url: string) {
		if (this.#video) this.#video.src = url;
	}

	destroy() {
		this.#video?.removeEventListener('error', this.#failed);
		this.#video?.removeAttribute('src');
		this.#video?.load();
		this.#video = null;
	}

	playingAt(): number | null {
		const start = this.#video?.getStartDate?.().getTime();
		if (!this.#video || start === undefined || Number.isNaN(start)) return null;
		return start + this.#video.currentTime * 1000;
	}

	grain(): number | null {
		return null;
	}

	levels(): Level[] {
		return [];
	}

	setLevel() {}

	chosenLevel(): number {
		return -1;
	}

	stats(): EngineStats {
		return {
			engine: 'the browser’s own HLS',
			videoCodec: null,
			audioCodec: null,
			level: null,
			bandwidth: null,
			target: null
		};
	}

	readonly #failed = () => {
		const error = this.#video?.error;
		this.#events.failure({
			kind: error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media',
			detail: error?.message || `media error ${error?.code}`
		});
	};
}
