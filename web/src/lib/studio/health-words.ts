/** A breach of a source's health in plain words. */
import { bitrate, latency as seconds } from '$lib/format';
import { studio } from '$lib/messages/studio';
import type { Breach } from './health';

export interface Sentence {
	/** What happened. */
	what: string;
	/** What helps against it. */
	help: string;
}

export function sentence(breach: Breach): Sentence {
	const text = studio.breach;
	const lasted = span((breach.to - breach.from) / 1000);
	switch (breach.kind) {
		case 'silence':
			return { what: text.silence(lasted), help: text.silenceHelp };
		case 'bitrate':
			return {
				what: text.bitrate(bitrate(breach.worst), bitrate(breach.usual), lasted),
				help: text.bitrateHelp
			};
		case 'frame_rate':
			return {
				what: text.frameRate(Math.round(breach.worst), Math.round(breach.usual), lasted),
				help: text.frameRateHelp
			};
		case 'key_frames':
			return { what: text.keyFrames(span(breach.worst)), help: text.keyFramesHelp };
		case 'backlog':
			return { what: text.backlog(span(breach.worst), lasted), help: text.backlogHelp };
		case 'jumps':
			return { what: text.jumps(breach.worst), help: text.jumpsHelp };
	}
}

function span(length: number): string {
	if (length >= 120) return `${Math.round(length / 60)} min`;
	return Number.isInteger(length) ? `${length} s` : seconds(length);
}
