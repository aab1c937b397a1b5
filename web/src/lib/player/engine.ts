/** What every way of playing a stream looks like to the player: one adapter per library, nothing else knows them. */

/** How the viewer wants the stream delivered. */
export type Mode = 'low' | 'normal' | 'dash';

/** One choice of the quality menu. */
export interface Level {
	/** What `setLevel` takes. */
	id: number;
	width: number;
	height: number;
	frameRate: number | null;
	/** Bits per second. */
	bitrate: number;
	/** It is what the broadcaster sends, not made of it. */
	source: boolean;
}

/** One choice of the sound. */
export interface Sound {
	/** What `setSound` takes. */
	id: number;
	name: string;
	/** BCP 47, `null` when not said. */
	language: string | null;
}

/** What an engine knows for the stats panel; the player adds what the video element knows. */
export interface EngineStats {
	engine: string;
	videoCodec: string | null;
	audioCodec: string | null;
	level: Level | null;
	/** Measured throughput in bits per second. */
	bandwidth: number | null;
	/** Seconds behind live that the library aims at. */
	target: number | null;
}

/** Why an engine gave up; the retry ladder decides what happens next. */
export interface Failure {
	kind: 'network' | 'media' | 'unsupported';
	detail: string;
}

export interface EngineEvents {
	/** The choices of quality and sound, or what is chosen or shown of them, are known or have changed. */
	levels(): void;
	/** There are qualities that were not planned yet when the stream was loaded. */
	more(): void;
	/** The engine cannot go on: it is to be destroyed. */
	failure(failure: Failure): void;
}

export interface Engine {
	attach(video: HTMLVideoElement): Promise<void> | void;
	load(url: string): Promise<void> | void;
	destroy(): Promise<void> | void;
	/** Unix milliseconds stamped into the picture that is on screen, `null` when the stream does not say. */
	playingAt(): number | null;
	/** Length of what arrives at once (a part, else a segment), in seconds: no player can be nearer to live. */
	grain(): number | null;
	levels(): Level[];
	/** Chooses a level by its id, or -1 for automatic. */
	setLevel(id: number): void;
	/** The chosen level's id, -1 for automatic. */
	chosenLevel(): number;
	/** The id of the level whose picture is on screen, -1 when not known. */
	shownLevel(): number;
	/** Whether there is anything that data saver could leave out. */
	canSave(): boolean;
	/** Whether the automatic choice is to save data. */
	setSaver(on: boolean): void;
	sounds(): Sound[];
	setSound(id: number): void;
	/** The id of the sound that is heard, -1 when there is no choice. */
	chosenSound(): number;
	stats(): EngineStats;
}
