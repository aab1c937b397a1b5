import { expect, test } from 'vitest';
import type { Playback } from '$lib/api/live';
import { RetryLadder } from './retry';
import { type Event, Supervisor } from './supervisor';

const colors: Playback = {
	name: 'colors',
	id: 'b1',
	state: 'live',
	started_at: 0,
	viewers: 1,
	video_codec: 'avc1.64001f',
	audio_codec: 'mp4a.40.2',
	hls: '/live/colors.m3u8',
	dash: '/live/colors.mpd',
	still: '/live/colors/still.mp4',
	now_ms: 0
};

const answer = (change: Partial<Playback> | null = {}): Event => ({
	type: 'answer',
	playback: change && { ...colors, ...change }
});
const failure: Event = { type: 'failure', failure: { kind: 'network', detail: 'HTTP 503' } };

function playing() {
	const supervisor = new Supervisor(new RetryLadder(() => 0.5));
	supervisor.handle(answer());
	supervisor.handle({ type: 'progress' });
	return supervisor;
}

test('a stream that plays is left alone', () => {
	const supervisor = playing();
	expect(supervisor.phase).toBe('playing');
	expect(supervisor.handle(answer())).toEqual({ ask: 2500 });
});

test('a source that is away is said, and the engine goes on with the still', () => {
	const supervisor = playing();
	expect(supervisor.handle(answer({ state: 'waiting' })).engine).toBeUndefined();
	expect(supervisor.phase).toBe('away');
	supervisor.handle({ type: 'progress' });
	expect(supervisor.phase).toBe('away');
	expect(supervisor.handle(answer()).engine).toBeUndefined();
	expect(supervisor.phase).toBe('playing');
});

test('a new broadcast under the same name is loaded', () => {
	expect(playing().handle(answer({ id: 'b2' })).engine).toBe('load');
});

test('a source that comes back with another codec makes the player read the multivariant playlist again', () => {
	expect(playing().handle(answer({ video_codec: 'av01.0.05M.08' })).engine).toBe('load');
});

test('codecs that become known after the start are no reason to load again', () => {
	const supervisor = new Supervisor();
	expect(supervisor.handle(answer({ video_codec: 'avc1.64001f' })).engine).toBeUndefined();
});

test('a name nobody uses is called missing, and asked for ever more slowly', () => {
	const supervisor = new Supervisor(new RetryLadder(() => 0.5));
	expect(supervisor.handle(answer(null))).toEqual({ engine: 'unload', ask: 500 });
	expect(supervisor.handle(answer(null))).toEqual({ ask: 1000 });
	expect(supervisor.phase).toBe('missing');
});

test('a stream that begins while the page waits starts by itself', () => {
	const supervisor = new Supervisor();
	supervisor.handle(answer(null));
	expect(supervisor.handle(answer()).engine).toBe('load');
	expect(supervisor.phase).toBe('connecting');
});

test('an ended broadcast is played out before the page says so', () => {
	const supervisor = playing();
	supervisor.handle(answer(null));
	expect(supervisor.phase).toBe('playing');
	expect(supervisor.handle({ type: 'ended' }).engine).toBe('unload');
	expect(supervisor.phase).toBe('ended');
	expect(supervisor.handle(answer({ id: 'b2' })).engine).toBe('load');
});

test('a broken connection climbs the ladder and comes back down after success', () => {
	const supervisor = playing();
	expect(supervisor.handle(failure)).toEqual({ engine: 'unload', ask: 500 });
	expect(supervisor.phase).toBe('trouble');
	expect(supervisor.handle({ type: 'unreachable' }).ask).toBe(1000);
	expect(supervisor.handle(answer()).engine).toBe('load');
	supervisor.handle({ type: 'progress' });
	expect(supervisor.phase).toBe('playing');
	expect(supervisor.handle(failure).ask).toBe(500);
});

test('a failing first attempt is still called connecting', () => {
	const supervisor = new Supervisor();
	supervisor.handle(failure);
	expect(supervisor.phase).toBe('connecting');
});

test('a browser without any way to play is told so and not troubled again', () => {
	const supervisor = new Supervisor();
	supervisor.handle({ type: 'failure', failure: { kind: 'unsupported', detail: 'no MSE' } });
	expect(supervisor.phase).toBe('unsupported');
});

test('the viewer may ask to try at once', () => {
	const supervisor = playing();
	supervisor.handle(failure);
	expect(supervisor.handle({ type: 'again' })).toEqual({ engine: 'load', ask: 0 });
});

test('audio that is away for a while is no reason to load again, other audio is', () => {
	const supervisor = playing();
	expect(supervisor.handle(answer({ audio_codec: null })).engine).toBeUndefined();
	expect(supervisor.handle(answer()).engine).toBeUndefined();
	expect(supervisor.handle(answer({ audio_codec: 'opus' })).engine).toBe('load');
});

test('a picture that stands still is asked about at once, and started anew when that does not help', () => {
	const supervisor = playing();
	expect(supervisor.handle({ type: 'stuck' })).toEqual({ ask: 0 });
	expect(supervisor.phase).toBe('trouble');
	supervisor.handle({ type: 'stuck' });
	expect(supervisor.handle({ type: 'stuck' }).engine).toBe('load');
});

test('qualities that come later are loaded while the picture stays, but not into a stream that is over', () => {
	const supervisor = playing();
	expect(supervisor.handle({ type: 'more' })).toEqual({ engine: 'load', ask: 2500 });
	expect(supervisor.phase).toBe('playing');
	supervisor.handle({ type: 'ended' });
	expect(supervisor.handle({ type: 'more' }).engine).toBeUndefined();
});
