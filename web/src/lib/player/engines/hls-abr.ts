/**
 * The automatic choice of a quality in hls.js, in place of its own, which takes the parts of a low-latency stream for
 * a measure of the link and stays low for ever.
 *
 * It changes where a segment begins, since hls.js loads a quality it changes to from its last key frame on; only when
 * the picture is about to stop it does not wait for that. The decisions are those of `Chooser`, this class is its eyes
 * and hands.
 */
import Hls, {
	ErrorDetails,
	Events,
	type AbrComponentAPI,
	type ErrorData,
	type Fragment,
	type FragLoadedData,
	type FragmentLoaderContext,
	type HlsConfig,
	type Level as HlsLevel,
	type LevelDetails,
	type LevelLoadedData,
	type LevelLoadingData,
	type LevelSwitchingData,
	type LoaderCallbacks,
	type LoaderConfiguration,
	type LoaderContext,
	type LoaderStats,
	type Part
} from 'hls.js';
import { Chooser } from '../abr/chooser';
import { tooSlow, worthLeaving } from '../abr/flight';
import { look } from '../abr/look';
import { bandwidth, rememberBandwidth } from '../abr/memory';
import { Meter } from '../abr/meter';

const TICK_MS = 100;
const LOOK_MS = 500;
const REMEMBER_MS = 10_000;
/** Where key frames are rare or irregular, a change need not wait for one longer than this, in seconds. */
const CHOOSE_AT_LEAST = 10;
/** A quality whose first playlist takes longer than this, in seconds, has nothing to show yet. */
const BEGINS_WITHIN = 1;
const BEGINS_WITHIN_AT_START = 1.5;

/** What keeps a quality from being played, other than the link. */
const FAULTS: string[] = [
	ErrorDetails.FRAG_GAP,
	ErrorDetails.FRAG_LOAD_ERROR,
	ErrorDetails.FRAG_LOAD_TIMEOUT,
	ErrorDetails.FRAG_PARSING_ERROR,
	ErrorDetails.LEVEL_EMPTY_ERROR,
	ErrorDetails.LEVEL_LOAD_ERROR,
	ErrorDetails.LEVEL_LOAD_TIMEOUT,
	ErrorDetails.LEVEL_PARSING_ERROR,
	ErrorDetails.PLAYLIST_UNCHANGED_ERROR,
	ErrorDetails.BUFFER_APPEND_ERROR
];

const seconds = () => performance.now() / 1000;

export class HlsAbr implements AbrComponentAPI {
	readonly #hls: Hls;
	readonly #chooser = new Chooser();
	readonly #meter = new Meter();
	readonly #over = new AbortController();
	readonly #timers: ReturnType<typeof setInterval>[];
	#saver = false;
	#begun = false;
	#moving = false;
	#flight: { context: FragmentLoaderContext; stats: LoaderStats } | null = null;
	#asked: { level: number; at: number } | null = null;
	#looking = false;
	#chosenAt = 0;

	constructor(hls: Hls) {
		this.#hls = hls;
		hls.on(Events.MANIFEST_LOADING, this.#again);
		hls.on(Events.LEVELS_UPDATED, this.#levels);
		hls.on(Events.LEVEL_LOADING, this.#levelLoading);
		hls.on(Events.LEVEL_LOADED, this.#levelLoaded);
		hls.on(Events.LEVEL_SWITCHING, this.#switching);
		hls.on(Events.FRAG_LOADED, this.#loaded);
		hls.on(Events.FRAG_BUFFERED, this.#buffered);
		hls.on(Events.ERROR, this.#failed);
		this.#timers = [
			setInterval(this.#tick, TICK_MS),
			setInterval(this.#look, LOOK_MS),
			setInterval(this.#remember, REMEMBER_MS)
		];
	}

	destroy() {
		this.#remember();
		this.#over.abort();
		this.#timers.forEach(clearInterval);
		const hls = this.#hls;
		hls.off(Events.MANIFEST_LOADING, this.#again);
		hls.off(Events.LEVELS_UPDATED, this.#levels);
		hls.off(Events.LEVEL_LOADING, this.#levelLoading);
		hls.off(Events.LEVEL_LOADED, this.#levelLoaded);
		hls.off(Events.LEVEL_SWITCHING, this.#switching);
		hls.off(Events.FRAG_LOADED, this.#loaded);
		hls.off(Events.FRAG_BUFFERED, this.#buffered);
		hls.off(Events.ERROR, this.#failed);
	}

	/** Bits per second of the link, `null` before anything was measured. */
	get bandwidth(): number | null {
		return this.#meter.bits;
	}

	/** Whether the choice is to save data. */
	set saver(on: boolean) {
		this.#saver = on;
		if (this.#begun) this.#choose();
	}

	/** A fragment or part of the picture is asked for. */
	began(context: FragmentLoaderContext, stats: LoaderStats) {
		this.#flight = { context, stats };
	}

	// What hls.js asks of the choice.
	get firstAutoLevel(): number {
		if (!this.#begun) {
			this.#begun = true;
			this.#levels();
			this.#limit();
			this.#chooser.begin(bandwidth(), seconds());
		}
		return this.#chooser.at;
	}

	get forcedAutoLevel(): number {
		return -1;
	}

	get nextAutoLevel(): number {
		const { minAutoLevel, maxAutoLevel } = this.#hls;
		return Math.min(Math.max(this.#chooser.at, minAutoLevel), maxAutoLevel);
	}

	set nextAutoLevel(level: number) {
		if (level >= 0) this.#chooser.moved(level);
	}

	resetEstimator(bits: number) {
		this.#meter.restart(bits);
	}

	readonly #again = () => {
		this.#begun = false;
		this.#moving = false;
		this.#flight = null;
		this.#asked = null;
	};

	readonly #levels = () => {
		this.#chooser.rungs = this.#hls.levels.map((level) => ({
			name: level.uri,
			bitrate: level.averageBitrate || level.bitrate,
			width: level.width,
			height: level.height
		}));
	};

	readonly #levelLoading = (_: unknown, { level, levelInfo }: LevelLoadingData) => {
		this.#asked = levelInfo.details ? null : { level, at: seconds() };
	};

	readonly #levelLoaded = (_: unknown, { level, details }: LevelLoadedData) => {
		if (this.#asked?.level === level) this.#asked = null;
		const name = this.#hls.levels[level]?.uri;
		if (name === undefined) return;
		if (endsWithGap(details)) this.#fails(name);
		else this.#chooser.works(name);
	};

	readonly #switching = (_: unknown, { level }: LevelSwitchingData) => {
		this.#chooser.moved(level);
		this.#meter.moved();
	};

	readonly #loaded = (_: unknown, { frag, part }: FragLoadedData) => {
		const { loading, loaded } = part?.stats ?? frag.stats;
		const end = loading.end / 1000;
		if (frag.type !== 'main') this.#meter.beside({ bytes: loaded, first: loading.first / 1000, end });
		if (frag.type !== 'main' || frag.sn === 'initSegment') return;
		this.#flight = null;
		// A part of the sound is too small to tell what the link could carry.
		if (!hasPicture(this.#hls.levels[frag.level])) return;
		this.#meter.add({
			bytes: loaded,
			seconds: (loading.end - loading.first) / 1000,
			whole: (loading.end - loading.start) / 1000,
			media: part?.duration ?? frag.duration,
			end
		});
		const details = this.#hls.levels[frag.level]?.details;
		const late = seconds() - this.#chosenAt > CHOOSE_AT_LEAST;
		if (late || !part || !details || endsSegment(part, details)) this.#choose();
	};

	readonly #buffered = () => {
		this.#moving = true;
	};

	readonly #failed = (_: unknown, { details, frag, context, level }: ErrorData) => {
		if (!FAULTS.includes(details) || (frag && frag.type !== 'main')) return;
		const at = frag?.level ?? context?.level ?? level;
		const name = at === undefined || at === null ? undefined : this.#hls.levels[at]?.uri;
		if (name !== undefined) this.#fails(name);
	};

	#fails(name: string) {
		if (this.#hls.levels.length < 2) return;
		this.#chooser.fails(name, seconds());
		this.#choose();
	}

	#limit() {
		const box = this.#hls.media?.getBoundingClientRect();
		const scale = globalThis.devicePixelRatio || 1;
		this.#chooser.limit(
			{ width: (box?.width ?? 0) * scale, height: (box?.height ?? 0) * scale },
			this.#saver
		);
	}

	#choose() {
		if (!this.#hls.autoLevelEnabled) return;
		this.#chosenAt = seconds();
		this.#limit();
		const before = this.#chooser.at;
		if (this.#chooser.choose(this.#reading(this.#meter.bits)) !== before) this.#meter.moved();
	}

	#reading(bits: number | null) {
		const buffer = this.#hls.mainForwardBufferInfo?.len ?? 0;
		return { now: seconds(), bandwidth: bits, load: this.#meter.load, buffer };
	}

	readonly #tick = () => {
		if (this.#hls.levels.length < 2) return;
		this.#leaveWhatDoesNotBegin();
		this.#leaveWhatComesTooLate();
	};

	/** Planned qualities are listed before they exist, and their playlists answer once there is something in them. */
	#leaveWhatDoesNotBegin() {
		const asked = this.#asked;
		const patience = this.#moving ? BEGINS_WITHIN : BEGINS_WITHIN_AT_START;
		if (!asked || seconds() - asked.at < patience) return;
		const name = this.#hls.levels[asked.level]?.uri;
		const source = this.#hls.levels.find((level) => isSource(level.uri));
		if (name === undefined || (source && source.uri === name)) return;
		this.#asked = null;
		// The source was there before anything was made of it.
		if (source) this.#chooser.works(source.uri);
		if (!this.#hls.autoLevelEnabled) this.#hls.loadLevel = -1;
		this.#fails(name);
	}

	#leaveWhatComesTooLate() {
		const { autoLevelEnabled, media } = this.#hls;
		if (!this.#flight || !autoLevelEnabled || !this.#moving || !media || media.paused) return;
		const { context, stats } = this.#flight;
		const { frag, part } = context;
		if (stats.aborted || stats.loading.end) {
			this.#flight = null;
			return;
		}
		const bitrate = this.#bitrate(frag.level);
		const under = flight(context, stats, bitrate);
		const bits = tooSlow(under, this.#reading(null).buffer);
		if (bits === null) return;
		if (bits > 0) this.#meter.restart(bits);
		const reading = this.#reading(bits);
		const place = {
			rate: bits,
			bitrate,
			instead: this.#bitrate(this.#chooser.refuge(reading)),
			...within(context, this.#hls.levels[frag.level]?.details),
			missing: Math.max(0, under.expected - under.loaded)
		};
		const before = this.#chooser.at;
		if (!worthLeaving(place) || this.#chooser.hurry(reading) === before) return;
		this.#flight = null;
		frag.abortRequests();
		this.#hls.trigger(Events.FRAG_LOAD_EMERGENCY_ABORTED, { frag, part, stats });
	}

	#bitrate(level: number): number {
		const known = this.#hls.levels[level];
		return known ? known.averageBitrate || known.bitrate : 0;
	}

	/** Looks, one after another, whether there are media in the qualities that are not played. */
	readonly #look = async () => {
		const rung = this.#chooser.unseen(seconds());
		if (!rung || this.#looking || !this.#moving || this.#hls.levels.length < 2) return;
		this.#looking = true;
		const works = await look(rung.name, this.#over.signal);
		this.#looking = false;
		if (works) this.#chooser.works(rung.name);
		else this.#chooser.fails(rung.name, seconds());
	};

	readonly #remember = () => {
		if (this.#meter.bits !== null) rememberBandwidth(this.#meter.bits);
	};
}

/** Whether a level is more than the sound alone. */
export function hasPicture(level: HlsLevel | undefined): boolean {
	return level !== undefined && (!!level.videoCodec || level.height > 0);
}

/** Whether an address is that of the picture as the broadcaster sends it. */
export function isSource(uri: string): boolean {
	return /\/video\.m3u8(\?|$)/.test(uri);
}

/** The choice for a new `Hls`, and a loader that tells it what is under way; `made` gets it. */
export function automatic(made: (abr: HlsAbr) => void): Partial<HlsConfig> {
	let abr: HlsAbr | undefined;
	class Own extends HlsAbr {
		constructor(hls: Hls) {
			super(hls);
			abr = this;
			made(this);
		}
	}
	const Base = Hls.DefaultConfig.loader;
	class Loader extends Base {
		override load(
			context: FragmentLoaderContext,
			config: LoaderConfiguration,
			callbacks: LoaderCallbacks<FragmentLoaderContext>
		) {
			const { frag } = context;
			if (frag.type === 'main' && frag.sn !== 'initSegment') abr?.began(context, this.stats);
			super.load(context, config, callbacks as unknown as LoaderCallbacks<LoaderContext>);
		}
	}
	return {
		abrController: Own as unknown as HlsConfig['abrController'],
		fLoader: Loader as unknown as HlsConfig['fLoader']
	};
}

function flight({ frag, part }: FragmentLoaderContext, stats: LoaderStats, bitrate: number) {
	const { start, first } = stats.loading;
	const media = part?.duration ?? frag.duration;
	return {
		elapsed: (performance.now() - start) / 1000,
		waited: first > 0 ? (first - start) / 1000 : null,
		loaded: stats.loaded,
		expected: stats.total || (bitrate * media) / 8,
		media
	};
}

function endsWithGap({ fragments, partList }: LevelDetails): boolean {
	return (partList?.at(-1)?.gap || fragments.at(-1)?.gap) === true;
}

/** Whether the next part begins with a key frame, as far as the segment before tells. */
function endsSegment(part: Part, details: LevelDetails): boolean {
	const { sn } = part.fragment;
	const next = part.index + 1;
	const after = details.partList?.find(({ index, fragment }) => fragment.sn === sn && index === next);
	return after ? after.independent : part.fragOffset + 1.5 * part.duration >= segment(sn, details);
}

/** Seconds from the key frame to the end of what is loading, and from there to the next key frame. */
function within({ frag, part }: FragmentLoaderContext, details: LevelDetails | undefined) {
	if (!part || !details) return { begun: frag.duration, left: 0 };
	const begun = part.fragOffset + part.duration;
	return { begun, left: Math.max(0, segment(frag.sn, details) - begun) };
}

/** Seconds that a segment will have, if it becomes as long as the one before. */
function segment(sn: Fragment['sn'], { fragments, targetduration }: LevelDetails): number {
	return fragments.find((fragment) => fragment.sn === Number(sn) - 1)?.duration ?? targetduration;
}
