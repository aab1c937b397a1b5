/**
 * `<live-video>`: a `<video>` whose stream is played by an engine of ours, so that anything that can drive a video
 * element (media-chrome, the Media Session, a test) drives HLS, DASH and native playback alike.
 */
import { CustomVideoElement } from 'custom-media-element';
import { clock } from '$lib/api/live';
import { address, choose, type Wish } from './choose';
import type { Engine, EngineStats, Failure, Level, Mode, Sound } from './engine';
import { behindLive, Pacer } from './latency';

export interface Source extends Wish {
	/** Whether the automatic choice is to save data. */
	saver: boolean;
}

export interface Stats extends EngineStats {
	mode: Mode;
	latency: number | null;
	buffer: number;
	reserve: number;
	rate: number;
	width: number;
	height: number;
	frames: number;
	dropped: number;
	stalls: number;
}

const TICK_MS = 100;
const STUCK_MS = 3000;
/** A viewer this far behind by their own choice is watching the past, not late. */
const CHOSEN_SECONDS = 2;

/**
 * Events beside those of `<video>`: `livefailure` (detail: `Failure`), `livelevels`, `livemore` when there are qualities
 * that only a new start would see, `liveprogress` about four times a second while the picture or the sound goes on,
 * `livestuck` every three seconds while it should and does not.
 */
export class LiveVideo extends CustomVideoElement {
	#engine: Engine | null = null;
	#source: Source | null = null;
	#opening = 0;
	#timer: ReturnType<typeof setInterval> | undefined;
	#pacer = new Pacer();
	#following = true;
	#stalls = 0;
	#lastTime = 0;
	#movedAt = 0;
	#ticks = 0;
	#held: HTMLCanvasElement | null = null;

	static override getTemplateHTML = (attributes: Record<string, string>) => {
		const list = Object.keys(attributes).filter((name) => /^(autoplay|muted|playsinline)$/.test(name));
		return `<style>
			:host { display: block; position: relative; line-height: 0; background: #000; }
			video, canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
			canvas { pointer-events: none; }
		</style><slot name="media"><video part="video" ${list.join(' ')}></video></slot><slot></slot>`;
	};

	override connectedCallback() {
		super.connectedCallback();
		const video = this.nativeEl;
		video.addEventListener('waiting', this.#waiting);
		video.addEventListener('seeking', this.#sought);
		video.addEventListener('pause', this.#paused);
		this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
	}

	override disconnectedCallback() {
		clearInterval(this.#timer);
		this.#timer = undefined;
		void this.close();
		super.disconnectedCallback();
	}

	/** Plays a source from its live edge, in place of whatever played before. */
	async open(source: Source) {
		const turn = ++this.#opening;
		if (source.soundAlone) this.#releasePicture();
		else this.#holdPicture();
		await this.#destroy();
		const engine = await choose(source.mode, {
			levels: () => turn === this.#opening && this.#emit('livelevels'),
			more: () => turn === this.#opening && this.#emit('livemore'),
			failure: (failure) => turn === this.#opening && this.#emit('livefailure', failure)
		});
		if (turn !== this.#opening) return void engine?.destroy();
		if (!engine) {
			this.#emit('livefailure', { kind: 'unsupported', detail: 'no Media Source' } satisfies Failure);
			return;
		}
		engine.setSaver(source.saver);
		this.#engine = engine;
		this.#source = source;
		// An outage says nothing about how regularly the next media will arrive.
		this.#pacer = new Pacer();
		this.#following = true;
		// Until the picture has moved, pauses and seeks are the library's, not the viewer's.
		this.#ticks = 0;
		this.#movedAt = performance.now();
		await engine.attach(this.nativeEl);
		// A new source forgets the events that are under way, such as a change of the volume just before.
		this.nativeEl.dispatchEvent(new Event('volumechange'));
		if (turn !== this.#opening) return;
		this.#releasePictureWhenShown();
		await engine.load(address(source));
	}

	/** Stops playing and loading; the last picture stays. */
	async close() {
		this.#opening++;
		this.#holdPicture();
		await this.#destroy();
	}

	/** Seconds between the server's clock and the picture on screen, `null` when it cannot be told. */
	get latency(): number | null {
		return clock.known && this.#engine ? behindLive(clock.now(), this.#engine.playingAt()) : null;
	}

	get levels(): Level[] {
		return this.#engine?.levels() ?? [];
	}

	/** The chosen level's id, -1 for automatic. */
	get level(): number {
		return this.#engine?.chosenLevel() ?? -1;
	}

	set level(id: number) {
		this.#engine?.setLevel(id);
	}

	/** The id of the level whose picture is on screen, -1 when not known. */
	get shown(): number {
		return this.#engine?.shownLevel() ?? -1;
	}

	/** Whether there is a picture in what plays. */
	get hasPicture(): boolean {
		return this.nativeEl.videoWidth > 0;
	}

	/** Whether there is anything that data saver could leave out. */
	get canSave(): boolean {
		return this.#engine?.canSave() ?? false;
	}

	set saver(on: boolean) {
		if (this.#source) this.#source = { ...this.#source, saver: on };
		this.#engine?.setSaver(on);
	}

	get sounds(): Sound[] {
		return this.#engine?.sounds() ?? [];
	}

	/** The id of the sound that is heard, -1 when there is no choice. */
	get sound(): number {
		return this.#engine?.chosenSound() ?? -1;
	}

	set sound(id: number) {
		this.#engine?.setSound(id);
	}

	/** Jumps to the live edge and stays there. */
	goLive() {
		this.#follow();
		const edge = this.#edge();
		if (edge !== null) this.nativeEl.currentTime = edge - 1.5 * (this.#engine?.grain() ?? 2);
		this.#follow();
		if (this.nativeEl.paused) void this.nativeEl.play().catch(() => {});
	}

	// What media-chrome asks of a live element.
	get streamType() {
		return 'live';
	}

	get targetLiveWindow() {
		return Number.POSITIVE_INFINITY;
	}

	get liveEdgeStart() {
		const edge = this.#edge();
		return edge === null || !this.#following ? Number.NaN : edge - 10;
	}

	stats(): Stats | null {
		if (!this.#engine || !this.#source) return null;
		const quality = this.nativeEl.getVideoPlaybackQuality();
		return {
			...this.#engine.stats(),
			mode: this.#source.mode,
			latency: this.latency,
			buffer: this.#buffer(),
			reserve: this.#pacer.reserve,
			rate: this.nativeEl.playbackRate,
			width: this.nativeEl.videoWidth,
			height: this.nativeEl.videoHeight,
			frames: quality.totalVideoFrames,
			dropped: quality.droppedVideoFrames,
			stalls: this.#stalls
		};
	}

	async #destroy() {
		const engine = this.#engine;
		this.#engine = null;
		this.#source = null;
		this.#ticks = 0;
		await engine?.destroy();
	}

	#emit(name: string, detail?: unknown) {
		this.dispatchEvent(new CustomEvent(name, { detail }));
	}

	#follow() {
		this.#following = true;
		this.#pacer.restart();
	}

	#tick() {
		const video = this.nativeEl;
		const moved = video.currentTime !== this.#lastTime;
		this.#lastTime = video.currentTime;
		const now = performance.now();
		if (!this.#engine || video.paused || video.ended || moved) this.#movedAt = now;
		if (this.#engine && now - this.#movedAt > STUCK_MS) {
			this.#movedAt = now;
			this.#emit('livestuck');
		}
		// While one engine makes way for another, what moves is what was there before.
		if (this.#engine && moved && !video.paused && video.readyState >= 3) {
			this.#pace(now);
			if (this.#ticks++ % 3 === 0) this.#emit('liveprogress');
		}
	}

	#pace(now: number) {
		const grain = this.#engine?.grain();
		if (!grain || !this.#following) return;
		const reading = { now: now / 1000, buffer: this.#buffer(), grain, latency: this.latency };
		const advice = this.#pacer.advise(reading);
		if ('jump' in advice) this.goLive();
		else if (this.nativeEl.playbackRate !== advice.rate) this.nativeEl.playbackRate = advice.rate;
	}

	#buffer(): number {
		const { buffered, currentTime } = this.nativeEl;
		for (let i = 0; i < buffered.length; i++) {
			if (buffered.start(i) <= currentTime + 0.1 && currentTime <= buffered.end(i)) {
				return buffered.end(i) - currentTime;
			}
		}
		return 0;
	}

	#edge(): number | null {
		const { seekable } = this.nativeEl;
		return seekable.length > 0 ? seekable.end(seekable.length - 1) : null;
	}

	readonly #waiting = () => {
		if (this.#ticks === 0 || this.nativeEl.seeking) return;
		this.#stalls++;
		this.#pacer.stalled(performance.now() / 1000);
	};

	readonly #sought = () => {
		this.#pacer.restart();
		const edge = this.#edge();
		if (edge === null || this.#ticks === 0) return;
		this.#chose(edge - this.nativeEl.currentTime > CHOSEN_SECONDS + 2 * (this.#engine?.grain() ?? 2));
	};

	readonly #paused = () => {
		if (!this.nativeEl.ended && this.#ticks > 0) this.#chose(true);
	};

	#chose(past: boolean) {
		this.#following = !past;
		if (past) this.nativeEl.playbackRate = 1;
	}

	/** Keeps the last picture on screen while no engine shows one: a viewer never looks into a black box. */
	#holdPicture() {
		const video = this.nativeEl;
		if (this.#held || !video?.videoWidth || video.readyState < 2) return;
		const canvas = document.createElement('canvas');
		canvas.width = video.videoWidth;
		canvas.height = video.videoHeight;
		canvas.getContext('2d')?.drawImage(video, 0, 0);
		this.shadowRoot?.append(canvas);
		this.#held = canvas;
	}

	#releasePictureWhenShown() {
		this.nativeEl.addEventListener('playing', () => this.#releasePicture(), { once: true });
	}

	#releasePicture() {
		this.#held?.remove();
		this.#held = null;
	}
}

if (!customElements.get('live-video')) customElements.define('live-video', LiveVideo);
