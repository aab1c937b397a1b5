import { beforeEach, expect, test, vi } from 'vitest';
import type { Level, Sound } from './engine';
import { LivePlayer } from './live-player.svelte';
import type { LiveVideo, Source } from './live-video';

const level = (id: number, height: number): Level => ({
	id,
	width: height * 2,
	height,
	frameRate: null,
	bitrate: height,
	source: false
});

/** What the player drives, without anything that plays. */
class Screen extends EventTarget {
	opened: Source[] = [];
	muted = true;
	level = -1;
	shown = -1;
	canSave = true;
	hasPicture = true;
	latency = null;
	levels: Level[] = [];
	sounds: Sound[] = [];
	sound = -1;

	async open(source: Source) {
		this.opened.push(source);
		[this.level, this.shown, this.sound] = [-1, -1, -1];
	}

	async close() {}

	/** As when the stream that was opened is known. */
	know(levels: Level[], sounds: Sound[]) {
		[this.levels, this.sounds, this.sound] = [levels, sounds, sounds.length > 0 ? 0 : -1];
		this.canSave = levels.length > 1;
		this.dispatchEvent(new Event('livelevels'));
	}
}

const QUALITIES = [level(0, 360), level(1, 720)];
const SOUNDS = ['Audio', 'Audio 2'].map((name, id): Sound => ({ id, name, language: null }));

function watching() {
	const screen = new Screen();
	const player = new LivePlayer('colors', null);
	player.attach(screen as unknown as LiveVideo);
	screen.know(QUALITIES, SOUNDS);
	return { screen, player };
}

beforeEach(() => {
	vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
	vi.stubGlobal('navigator', {});
	vi.stubGlobal('addEventListener', () => {});
	vi.stubGlobal('fetch', () => new Promise(() => {}));
	vi.useFakeTimers();
});

test('whoever wants the sound alone gets it, and still sees which qualities there were', () => {
	const { screen, player } = watching();
	player.setSoundAlone(true);
	expect(screen.opened.map(({ soundAlone }) => soundAlone)).toEqual([false, true]);
	expect(player.pictureless).toBe(true);
	screen.know([], SOUNDS);
	expect(player.levels.map(({ height }) => height)).toEqual([720, 360]);
	expect(player.canSave).toBe(true);
});

test('the quality that is chosen brings the picture back in it', () => {
	const { screen, player } = watching();
	player.setSoundAlone(true);
	screen.know([], SOUNDS);
	player.setLevel(0);
	expect(screen.opened.at(-1)?.soundAlone).toBe(false);
	screen.know(QUALITIES, SOUNDS);
	expect(screen.level).toBe(0);
	expect(player.soundAlone).toBe(false);
	screen.dispatchEvent(new Event('liveprogress'));
	expect(player.pictureless).toBe(false);
});

test('the sound that was chosen is chosen again whatever is loaded', () => {
	const { screen, player } = watching();
	player.setSound(1);
	player.setSoundAlone(true);
	screen.know([], SOUNDS);
	expect(screen.sound).toBe(1);
	player.setLevel(-1);
	screen.know(QUALITIES, SOUNDS);
	expect(screen.sound).toBe(1);
	expect(screen.level).toBe(-1);
});

test('the sound alone is heard, unless the viewer had muted it', () => {
	const { screen, player } = watching();
	player.setSoundAlone(true);
	expect(screen.muted).toBe(false);
	player.setMuted(true);
	player.setSoundAlone(false);
	player.setSoundAlone(true);
	expect(screen.muted).toBe(true);
});

test('another delivery leaves the picture out too', () => {
	const { screen, player } = watching();
	player.setSoundAlone(true);
	player.setMode('dash');
	expect(screen.opened.at(-1)).toMatchObject({ mode: 'dash', soundAlone: true });
});
