/**
 * The browser's own HLS, for iPhones without ManagedMediaSource. It is never asked first: desktop Chromium says
 * "maybe" to HLS and plays it unreliably.
 */
import type { Engine, EngineEvents, EngineStats, Level, Sound } from '../engine';
import { asksForSoundAlone, count, saved } from '../abr/saved';

/** Safari tells the wall clock of its timeline; the types of the DOM do not know it. */
type VideoWithDate = HTMLVideoElement & { getStartDate?: () => Date };

export class NativeEngine implements Engine {
	readonly #events: EngineEvents;
	readonly #over = new AbortController();
	#video: VideoWithDate | null = null;
	#url = '';
	#saver = false;
	#qualities = 0;

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
		this.#url = url;
		if (this.#video) this.#video.src = saved(url, this.#saver);
		void this.#count();
	}

	destroy() {
		this.#over.abort();
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

	shownLevel(): number {
		return -1;
	}

	canSave(): boolean {
		return this.#qualities > 1;
	}

	/** The browser chooses by itself; it is only told of less. */
	setSaver(on: boolean) {
		if (on === this.#saver) return;
		this.#saver = on;
		// Without the picture there is nothing that could be saved.
		if (!this.#video || !this.#url || asksForSoundAlone(this.#url)) return;
		const paused = this.#video.paused;
		this.#video.src = saved(this.#url, on);
		if (!paused) void this.#video.play().catch(() => {});
	}

	sounds(): Sound[] {
		return [];
	}

	setSound() {}

	chosenSound(): number {
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

	async #count() {
		this.#qualities = await count(this.#url, this.#over.signal);
		if (this.#qualities > 1) this.#events.levels();
	}

	readonly #failed = () => {
		const error = this.#video?.error;
		this.#events.failure({
			kind: error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media',
			detail: error?.message || `media error ${error?.code}`
		});
	};
}
