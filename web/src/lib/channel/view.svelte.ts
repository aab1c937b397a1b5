/** A channel as its page shows it, asked again and again so that a broadcast appears by itself. */
import { api, asProblem, type ApiError, type Channel } from '$lib/api';

/** How soon a broadcast that began is seen, and one that ended is noticed (the player sees that earlier). */
const OFFLINE_MS = 3000;
const LIVE_MS = 10_000;

export class ChannelView {
	channel = $state.raw<Channel | null>(null);
	problem = $state.raw<ApiError | null>(null);
	#timer: ReturnType<typeof setTimeout> | undefined;
	#over = false;

	constructor(readonly handle: string) {}

	/** Begins to ask; returns what ends it. */
	follow(): () => void {
		const shown = () => {
			if (!document.hidden) this.ask();
		};
		this.#over = false;
		this.ask();
		document.addEventListener('visibilitychange', shown);
		return () => {
			this.#over = true;
			clearTimeout(this.#timer);
			document.removeEventListener('visibilitychange', shown);
		};
	}

	ask = (): void => {
		clearTimeout(this.#timer);
		void this.#ask();
	};

	async #ask() {
		if (!document.hidden) {
			try {
				this.channel = await api.get<Channel>(`/channels/${encodeURIComponent(this.handle)}`, {
					anonymous: true
				});
				this.problem = null;
			} catch (thrown) {
				this.problem = asProblem(thrown);
				if (this.problem.status === 404 || this.problem.status === 403) this.channel = null;
			}
		}
		if (this.#over) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(this.ask, this.channel?.live ? LIVE_MS : OFFLINE_MS);
	}
}
