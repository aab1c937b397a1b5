/** MPEG-DASH by Shaka Player; fetched only when a viewer asks for DASH. */
import shaka from 'shaka-player/dist/shaka-player.dash-es2021';
import type { Engine, EngineEvents, EngineStats, Failure, Level } from '../engine';

export class DashEngine implements Engine {
	readonly #player = new shaka.Player();
	readonly #events: EngineEvents;
	#chosen = -1;

	constructor(events: EngineEvents) {
		this.#events = events;
		this.#player.configure({
			streaming: {
				lowLatencyMode: true,
				liveSync: { enabled: true, maxPlaybackRate: 1.06, minPlaybackRate: 0.96 }
			},
			abr: { restrictToElementSize: true }
		});
		this.#player.addEventListener('trackschanged', () => events.levels());
		this.#player.addEventListener('adaptation', () => events.levels());
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
		try {
			await this.#player.load(url);
		} catch (error) {
			this.#failed(error as shaka.util.Error);
		}
	}

	async destroy() {
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
		return this.#player.getVariantTracks().map(level);
	}

	setLevel(id: number) {
		this.#chosen = id;
		this.#player.configure('abr.enabled', id === -1);
		const track = this.#player.getVariantTracks().find((candidate) => candidate.id === id);
		if (track) this.#player.selectVariantTrack(track, true);
	}

	chosenLevel(): number {
		return this.#chosen;
	}

	stats(): EngineStats {
		const track = this.#player.getVariantTracks().find((candidate) => candidate.active);
		const estimate = this.#player.getStats().estimatedBandwidth;
		return {
			engine: `shaka-player ${shaka.Player.version.replace(/^v/, '')}`,
			videoCodec: track?.videoCodec ?? null,
			audioCodec: track?.audioCodec ?? null,
			level: track ? level(track) : null,
			bandwidth: Number.isFinite(estimate) ? estimate : null,
			target: null
		};
	}

	#failed(error: shaka.util.Error) {
		if (error.severity !== shaka.util.Error.Severity.CRITICAL) return;
		if (error.code === shaka.util.Error.Code.LOAD_INTERRUPTED) return;
		const kind = error.category === shaka.util.Error.Category.NETWORK ? 'network' : 'media';
		this.#events.failure({ kind, detail: `shaka error ${error.code}` } satisfies Failure);
	}
}

function level(track: shaka.extern.Track): Level {
	return {
		id: track.id,
		height: track.height ?? 0,
		frameRate: track.frameRate,
		bitrate: track.bandwidth
	};
}
