/** MPEG-DASH by Shaka Player; fetched only when a viewer asks for DASH. */
import shaka from 'shaka-player/dist/shaka-player.dash-es2021';
import type { Engine, EngineEvents, EngineStats, Failure, Level, Sound } from '../engine';
import { DashAbr, isSource } from './dash-abr';

export class DashEngine implements Engine {
	readonly #player = new shaka.Player();
	readonly #events: EngineEvents;
	readonly #abr = new DashAbr();
	#chosen = -1;
	/** Shaka forgets what is chosen while it prepares its streams: nobody is told of choices before. */
	#ready = false;

	constructor(events: EngineEvents) {
		this.#events = events;
		this.#player.configure({
			streaming: {
				lowLatencyMode: true,
				liveSync: { enabled: true, maxPlaybackRate: 1.06, minPlaybackRate: 0.96 }
			},
			abrFactory: () => this.#abr
		});
		for (const event of ['trackschanged', 'adaptation', 'variantchanged', 'audiotrackschanged']) {
			this.#player.addEventListener(event, () => this.#ready && events.levels());
		}
		this.#player.addEventListener('error', (event) => {
			this.#failed((event as unknown as { detail: shaka.util.Error }).detail);
		});
	}

	static supported(): boolean {
		return shaka.Player.isBrowserSupported();
	}

	async attach(video: HTMLVideoElement) {
		await this.#player.attach(video);
	}

	async load(url: string) {
		const network = this.#player.getNetworkingEngine();
		// The same qualities by their other names: only those playlists say what is there.
		const multivariant = url.replace(/\.mpd(?=$|\?)/, '.m3u8');
		if (network) this.#abr.follow(network, shaka.net.NetworkingEngine.RequestType.SEGMENT, multivariant);
		try {
			await this.#player.load(url);
			this.#ready = true;
			this.#events.levels();
		} catch (error) {
			this.#failed(error as shaka.util.Error);
		}
	}

	async destroy() {
		// Shaka only lets go of what it has begun with.
		this.#abr.release();
		await this.#player.destroy();
	}

	playingAt(): number | null {
		return this.#player.isLive() ? (this.#player.getPlayheadTimeAsDate()?.getTime() ?? null) : null;
	}

	grain(): number | null {
		// Shaka regulates its own speed.
		return null;
	}

	levels(): Level[] {
		return this.#pictures().map(level);
	}

	setLevel(id: number) {
		this.#chosen = id;
		const playing = this.#active();
		if (id === -1 && playing) this.#abr.moved(playing.originalVideoId ?? '');
		this.#player.configure('abr.enabled', id === -1);
		const track = this.#player.getVariantTracks().find((candidate) => candidate.id === id);
		if (!track) return;
		this.#player.selectVariantTrack(track);
		// Whoever then chooses another sound is asked for the picture that goes with it.
		this.#abr.moved(track.originalVideoId ?? '');
	}

	chosenLevel(): number {
		// Each sound has variants of its own: the one that is played stands for what was chosen.
		return this.#chosen === -1 ? -1 : this.shownLevel();
	}

	shownLevel(): number {
		return this.#active()?.id ?? -1;
	}

	canSave(): boolean {
		return this.#pictures().length > 1;
	}

	setSaver(on: boolean) {
		this.#abr.saver = on;
	}

	sounds(): Sound[] {
		return this.#player.getAudioTracks().map(({ label, language }, id) => ({
			id,
			name: label ?? `Audio ${id + 1}`,
			language: language && language !== 'und' ? language : null
		}));
	}

	setSound(id: number) {
		const track = this.#player.getAudioTracks()[id];
		if (track) this.#player.selectAudioTrack(track);
	}

	chosenSound(): number {
		return this.#player.getAudioTracks().findIndex(({ active }) => active);
	}

	stats(): EngineStats {
		const track = this.#active();
		return {
			engine: `shaka-player ${shaka.Player.version.replace(/^v/, '')}`,
			videoCodec: track?.videoCodec ?? null,
			audioCodec: track?.audioCodec ?? null,
			level: track && hasPicture(track) ? level(track) : null,
			bandwidth: this.#abr.bandwidth,
			target: null
		};
	}

	#active(): shaka.extern.Track | undefined {
		return this.#player.getVariantTracks().find((track) => track.active);
	}

	/** One variant for each picture: the one that is played, else the first. */
	#pictures(): shaka.extern.Track[] {
		const pictures = new Map<number | null, shaka.extern.Track>();
		for (const track of this.#player.getVariantTracks()) {
			if (!hasPicture(track)) continue;
			if (track.active || !pictures.has(track.videoId)) pictures.set(track.videoId, track);
		}
		return [...pictures.values()];
	}

	#failed(error: shaka.util.Error) {
		if (error.severity !== shaka.util.Error.Severity.CRITICAL) return;
		if (error.code === shaka.util.Error.Code.LOAD_INTERRUPTED) return;
		const kind = error.category === shaka.util.Error.Category.NETWORK ? 'network' : 'media';
		this.#events.failure({ kind, detail: `shaka error ${error.code}` } satisfies Failure);
	}
}

/** Whether a variant is more than the sound alone. */
function hasPicture(track: shaka.extern.Track): boolean {
	return track.videoId !== null;
}

function level(track: shaka.extern.Track): Level {
	return {
		id: track.id,
		width: track.width ?? 0,
		height: track.height ?? 0,
		frameRate: track.frameRate,
		bitrate: track.bandwidth,
		source: isSource(track.originalVideoId)
	};
}
