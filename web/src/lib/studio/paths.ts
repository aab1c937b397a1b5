/** Where a stream is watched. */
import type { Stream } from '$lib/api';

/** The page that viewers open: the channel's, or that of the stream's own link. */
export function watchPath(stream: Stream): string | null {
	if (stream.channel) return `/c/${stream.channel.handle}`;
	const id = stream.playback_ids[0]?.id;
	return id ? `/watch/${encodeURIComponent(id)}` : null;
}
