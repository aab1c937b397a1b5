/** The player's state as the page shows it, and the loop that asks the server and obeys the supervisor. */
import { type Playback, playback as ask } from '$lib/api/live';
import { rememberSaver, saver } from './abr/memory';
import type { Failure, Level, Mode, Sound } from './engine';
import type { LiveVideo, Stats } from './live-video';
import { byQuality, same, sameSound } from './quality';
import { type Decision, type Event, type Phase, Supervisor } from './supervisor';

const MODE_KEY = 'headwater.mode';
/** After so many failures in a row, DASH is given up for this visit. */
const DASH_FAILURES = 3;

export class LivePlayer {
	phase = $state<Phase>('connecting');
	/** What the server last said of the stream; kept when it is gone, so that the page can go on naming it. */
	playback = $state<Playback | null>(null);
	latency = $state<number | null>(null);
	levels = $state<Level[]>([]);
	/** The chosen quality's id, -1 for automatic. */
	level = $state(-1);
	/** The quality on screen. */
	shown = $state<Level | null>(null);
	canSave = $state(false);
	saver = $state(saver());
	sounds = $state<Sound[]>([]);
	/** The id of the sound that is heard, -1 when there is no choice. */
	sound = $state(-1);
	/** The viewer wants the sound without its picture; forgotten with the page. */
	soundAlone = $state(false);
	/** What plays has no picture, or will have none. */
	pictureless = $state(false);
	mode = $state<Mode>(storedMode());
	muted = $state(true);
	/** The viewer has muted or unmuted: autoplay's silence no longer needs an explanation. */
	soundChosen = $state(false);

	readonly name: string;
	readonly #supervisor = new Supervisor();
	#video: LiveVideo | null = null;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#asking = false;
	/** The quality the viewer has chosen, to be chosen again when the stream is loaded anew. */
	#wanted: Level | null = null;
	/** The sound that is to be chosen again then. */
	#wantedSound: Sound | null = null;
	/** The choices of what was opened last are known: of quality, and of sound. */
	#opened = false;
	#heard = false;
	/** Failures since it last moved. */
	#failures = 0;

	constructor(name: string, known: Playback | null) {
		this.name = name;
		this.playback = known;
	}

	/** Starts playing in an element; returns what stops it. Nothing is asked before loading begins. */
	attach(video: LiveVideo): () => void {
		this.#video = video;
		const stop = new AbortController();
		const on = (name: string, then: (event: CustomEvent) => void) =>
			video.addEventListener(name, then as EventListener, { signal: stop.signal });
		on('livefailure', ({ detail }) => this.#failed(detail));
		on('livestuck', () => this.#handle({ type: 'stuck' }));
		on('ended', () => this.#handle({ type: 'ended' }));
		on('loadeddata', () => this.#look());
		on('liveprogress', () => this.#progress());
		on('livelevels', () => this.#readLevels());
		on('livemore', () => this.#handle({ type: 'more' }));
		on('volumechange', () => {
			this.muted = video.muted;
		});
		addEventListener('online', () => this.again(), { signal: stop.signal });
		void this.#open();
		if (this.playback) this.#handle({ type: 'answer', playback: this.playback });
		void this.#ask();
		return () => {
			stop.abort();
			clearTimeout(this.#timer);
			this.#video = null;
			void video.close();
		};
	}

	/** Tries again now: the viewer asked, or the network is back. */
	again() {
		if (this.phase !== 'playing') this.#handle({ type: 'again' });
	}

	setMode(mode: Mode) {
		if (mode === this.mode) return;
		this.mode = mode;
		localStorage.setItem(MODE_KEY, mode);
		this.#handle({ type: 'again' });
	}

	setLevel(id: number) {
		this.#wanted = this.levels.find((level) => level.id === id) ?? null;
		this.level = id;
		if (this.soundAlone) this.setSoundAlone(false);
		else if (this.#video) this.#video.level = id;
	}

	/** Leaves the picture out, or brings it back in the quality that was chosen. */
	setSoundAlone(alone: boolean) {
		if (alone === this.soundAlone) return;
		this.soundAlone = alone;
		if (alone) this.pictureless = true;
		// The browser's silence at the start is not what somebody wants who asks for sound.
		if (alone && !this.soundChosen) this.setMuted(false);
		this.#handle({ type: 'again' });
	}

	setSaver(on: boolean) {
		this.saver = on;
		rememberSaver(on);
		if (this.#video) this.#video.saver = on;
	}

	setSound(id: number) {
		this.#wantedSound = this.sounds.find((sound) => sound.id === id) ?? null;
		if (this.#video) this.#video.sound = id;
		this.sound = id;
	}

	setMuted(muted: boolean) {
		this.soundChosen = true;
		if (this.#video) this.#video.muted = muted;
	}

	/** Moves the playhead by seconds within what the server keeps. */
	seek(seconds: number) {
		const video = this.#video;
		if (!video || video.seekable.length === 0) return;
		const end = video.seekable.end(video.seekable.length - 1);
		const to = video.currentTime + seconds;
		if (to >= end - 1) video.goLive();
		else video.currentTime = Math.max(video.seekable.start(0) + 1, to);
	}

	goLive() {
		this.#video?.goLive();
	}

	stats(): Stats | null {
		return this.#video?.stats() ?? null;
	}

	#failed(failure: Failure) {
		// Whoever chose DASH and cannot have it would rather see the stream.
		if (this.mode === 'dash' && ++this.#failures >= DASH_FAILURES) this.mode = 'low';
		this.#handle({ type: 'failure', failure });
	}

	#progress() {
		this.#failures = 0;
		this.latency = this.#video?.latency ?? null;
		this.#look();
		this.#handle({ type: 'progress' });
	}

	#look() {
		this.pictureless = this.#video?.hasPicture === false;
	}

	#readLevels() {
		const video = this.#video;
		if (!video) return;
		this.#readSounds(video);
		// The qualities that there were stay, for whoever wants the picture back.
		if (this.soundAlone) return;
		this.levels = video.levels.toSorted(byQuality);
		this.#chooseAgain(video);
		this.level = video.level;
		this.shown = this.levels.find((level) => level.id === video.shown) ?? null;
		this.canSave = video.canSave;
	}

	#readSounds(video: LiveVideo) {
		this.sounds = video.sounds;
		// Before one is chosen for itself, a library may yet undo what is chosen here.
		if (!this.#heard && video.sound >= 0) {
			this.#heard = true;
			const again = this.sounds.find((sound) => sameSound(sound, this.#wantedSound));
			if (again) video.sound = again.id;
		}
		this.sound = video.sound;
	}

	/** Another engine knows nothing of what was chosen; one that has given it up has its reasons. */
	#chooseAgain(video: LiveVideo) {
		if (this.#opened || this.levels.length === 0) return;
		this.#opened = true;
		const again = this.#wanted && this.levels.find((level) => same(level, this.#wanted));
		if (again) video.level = again.id;
	}

	#handle(event: Event) {
		const decision = this.#supervisor.handle(event);
		this.phase = this.#supervisor.phase;
		this.#obey(decision, event.type === 'progress');
	}

	#obey({ engine, ask: delay }: Decision, onlyIfIdle: boolean) {
		if (engine === 'load') void this.#open();
		if (engine === 'unload') {
			this.latency = null;
			void this.#video?.close();
		}
		if (onlyIfIdle && (this.#timer !== undefined || this.#asking)) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#ask(), delay);
	}

	async #open() {
		const name = encodeURIComponent(this.name);
		this.#opened = false;
		this.#heard = false;
		await this.#video?.open({
			mode: this.mode,
			hls: this.playback?.hls ?? `/live/${name}.m3u8`,
			dash: this.playback?.dash ?? `/live/${name}.mpd`,
			saver: this.saver,
			soundAlone: this.soundAlone
		});
	}

	async #ask() {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#asking) return;
		this.#asking = true;
		let event: Event;
		try {
			event = { type: 'answer', playback: await ask(this.name) };
		} catch {
			event = { type: 'unreachable' };
		}
		this.#asking = false;
		if (!this.#video) return;
		if (event.type === 'answer' && event.playback) this.playback = event.playback;
		this.#handle(event);
	}
}

function storedMode(): Mode {
	const stored = localStorage.getItem(MODE_KEY);
	return stored === 'normal' || stored === 'dash' ? stored : 'low';
}
