/**
 * Decides what the player does when something happens to the stream: a value that is fed events and gives commands,
 * without a timer or a request of its own.
 *
 * The server keeps a broadcast alive while its source is away, so the usual interruption is only said, not acted on.
 * A new broadcast, or one whose codecs have changed, is loaded again from its multivariant playlist.
 */
import type { Playback } from '$lib/api/live';
import type { Failure } from './engine';
import { RetryLadder } from './retry';

export type Phase =
	/** Nothing has been shown yet. */
	| 'connecting'
	/** The picture moves. */
	| 'playing'
	/** The broadcaster is away; the server shows its last picture. */
	| 'away'
	/** The server or the network is in trouble. */
	| 'trouble'
	/** The broadcast is over. */
	| 'ended'
	/** There is no such stream, and there was none since the page was opened. */
	| 'missing'
	/** Neither MSE nor native HLS. */
	| 'unsupported';

export type Event =
	| { type: 'answer'; playback: Playback | null }
	| { type: 'unreachable' }
	| { type: 'failure'; failure: Failure }
	/** The picture has moved on since the last time. */
	| { type: 'progress' }
	/** It should move and has not for some seconds. */
	| { type: 'stuck' }
	/** There is more to choose from than was loaded. */
	| { type: 'more' }
	/** The end of the playlist was played. */
	| { type: 'ended' }
	/** The viewer asks to try at once, or for another delivery. */
	| { type: 'again' };

export interface Decision {
	/** What the engine is to do, if anything. */
	engine?: 'load' | 'unload';
	/** Milliseconds after which the server is to be asked again. */
	ask: number;
}

const ASK_PLAYING = 2500;
const ASK_AWAY = 1000;
/** After so many reports that nothing moves, the engine is started anew. */
const STUCK_TIMES = 3;

export class Supervisor {
	phase: Phase = 'connecting';
	#loaded = true;
	/** Which broadcast, with which codecs, the engine was started on; `null` until the server has said. */
	#signature: { id: string; video?: string; audio?: string } | null = null;
	#stuck = 0;
	#shown = false;
	#sourceAway = false;
	readonly #ladder: RetryLadder;

	constructor(ladder = new RetryLadder()) {
		this.#ladder = ladder;
	}

	handle(event: Event): Decision {
		switch (event.type) {
			case 'answer':
				return event.playback ? this.#live(event.playback) : this.#gone();
			case 'unreachable':
				return this.#unreachable();
			case 'failure':
				return this.#failed(event.failure);
			case 'progress':
				return this.#progress();
			case 'stuck':
				return this.#standing();
			case 'more':
				return this.#loaded ? { engine: 'load', ask: ASK_PLAYING } : { ask: ASK_PLAYING };
			case 'ended':
				return this.#over('ended');
			case 'again':
				return this.#again();
		}
	}

	#live(playback: Playback): Decision {
		const same = this.#isSame(playback);
		this.#signature = {
			id: playback.id,
			video: playback.video_codec ?? this.#signature?.video,
			audio: playback.audio_codec ?? this.#signature?.audio
		};
		this.#sourceAway = playback.state === 'waiting';
		if (this.#sourceAway) this.phase = 'away';
		else if (this.phase === 'away' && this.#loaded) this.phase = 'playing';
		if (this.#loaded && same) return { ask: this.#sourceAway ? ASK_AWAY : ASK_PLAYING };
		this.#loaded = true;
		if (!this.#sourceAway) this.phase = this.#shown ? 'trouble' : 'connecting';
		return { engine: 'load', ask: ASK_PLAYING };
	}

	/** Whether the engine plays just this; a codec that is not known, or away, is no difference. */
	#isSame({ id, video_codec: video, audio_codec: audio }: Playback): boolean {
		const loaded = this.#signature;
		if (!loaded) return true;
		const differs = (a?: string | null, b?: string | null) => Boolean(a && b && a !== b);
		return loaded.id === id && !differs(loaded.video, video) && !differs(loaded.audio, audio);
	}

	#gone(): Decision {
		// What was fetched before the end may still be played out: its own end will come.
		if (this.#loaded && this.phase === 'playing') return { ask: ASK_PLAYING };
		return this.#over(this.#shown ? 'ended' : 'missing');
	}

	#over(phase: 'ended' | 'missing'): Decision {
		const unload = this.#loaded;
		this.#loaded = false;
		this.#signature = null;
		this.#sourceAway = false;
		this.phase = phase;
		return { ...(unload && { engine: 'unload' as const }), ask: this.#ladder.next() };
	}

	#unreachable(): Decision {
		if (this.phase !== 'playing') this.phase = 'trouble';
		return { ask: this.#ladder.next() };
	}

	#standing(): Decision {
		if (!this.#loaded) return { ask: ASK_PLAYING };
		if (this.#shown) this.phase = this.#sourceAway ? 'away' : 'trouble';
		// Libraries sometimes stand still in front of perfectly good media: a new start helps.
		if (++this.#stuck % STUCK_TIMES !== 0) return { ask: 0 };
		return { engine: 'load', ask: ASK_PLAYING };
	}

	#failed(failure: Failure): Decision {
		this.#loaded = false;
		if (failure.kind === 'unsupported') {
			this.phase = 'unsupported';
			return { engine: 'unload', ask: 60_000 };
		}
		// A first failure says little: the next answer tells a missing stream from a server in trouble.
		if (this.#shown) this.phase = this.#sourceAway ? 'away' : 'trouble';
		return { engine: 'unload', ask: this.#ladder.next() };
	}

	#progress(): Decision {
		this.#shown = true;
		this.#stuck = 0;
		this.#ladder.reset();
		if (!this.#sourceAway && this.#loaded) this.phase = 'playing';
		return { ask: this.#sourceAway ? ASK_AWAY : ASK_PLAYING };
	}

	#again(): Decision {
		this.#ladder.reset();
		this.#loaded = true;
		this.#signature = null;
		if (this.phase !== 'playing' && this.phase !== 'away') this.phase = 'connecting';
		return { engine: 'load', ask: 0 };
	}
}
