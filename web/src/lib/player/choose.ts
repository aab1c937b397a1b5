/** Which engine plays what: Media Source first, the browser's own HLS only where there is none. */
import { soundAlone } from './abr/saved';
import type { Engine, EngineEvents, Mode } from './engine';

/** The engine for a mode, or `null` when this browser has no way to play it. Each library is its own lazy chunk. */
export async function choose(mode: Mode, events: EngineEvents): Promise<Engine | null> {
	if (mode === 'dash') {
		const { DashEngine } = await import('./engines/dash');
		if (DashEngine.supported()) return new DashEngine(events);
	}
	const { HlsEngine } = await import('./engines/hls');
	if (HlsEngine.supported()) return new HlsEngine(events, mode === 'low');
	const { NativeEngine } = await import('./engines/native');
	return NativeEngine.supported() ? new NativeEngine(events) : null;
}

/** What is to be played, and how. */
export interface Wish {
	mode: Mode;
	hls: string;
	dash: string;
	/** Whether the sound is wanted without its picture. */
	soundAlone: boolean;
}

/** The address that plays a stream in a mode. Without Media Source, `dash` falls back to the HLS address. */
export function address(wish: Wish): string {
	const delivered = delivery(wish);
	return wish.soundAlone ? soundAlone(delivered) : delivered;
}

function delivery({ mode, hls, dash }: Wish): string {
	const hasMediaSource = 'MediaSource' in globalThis || 'ManagedMediaSource' in globalThis;
	if (mode === 'dash' && hasMediaSource) return dash;
	return mode === 'normal' ? `${hls}${hls.includes('?') ? '&' : '?'}latency=normal` : hls;
}
