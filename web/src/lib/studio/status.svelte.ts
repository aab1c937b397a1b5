/** The state of a stream as it happens: by server-sent events, and by asking where those do not come through. */
import { address, api, asProblem, type ApiError, type StreamStatus } from '$lib/api';
import { measured, nominal } from './frame-rate';
import { reduce, START, type Reduced } from './status';

const POLL_MS = 2000;
/** Events that have not come by then do not come: some proxies keep them back. */
const SILENCE_MS = 6000;
const EVENTS_AGAIN_MS = 30_000;

export class StatusWatch {
	status = $state.raw<StreamStatus | null>(null);
	reduced = $state.raw<Reduced>(START);
	problem = $state.raw<ApiError | null>(null);
	#rates = $state.raw<readonly number[]>([]);
	/** The frame rate that the source means, while something is live. */
	frameRate = $derived(nominal(this.#rates));
	#events: EventSource | null = null;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#over = false;

	constructor(readonly stream: string) {}

	/** Begins; returns what ends it. */
	follow(): () => void {
		this.#over = false;
		this.#listen();
		return () => {
			this.#over = true;
			clearTimeout(this.#timer);
			this.#events?.close();
		};
	}

	#listen() {
		const events = new EventSource(address(`/streams/${encodeURIComponent(this.stream)}/watch`));
		this.#events = events;
		const silence = setTimeout(() => fail(), SILENCE_MS);
		const fail = () => {
			clearTimeout(silence);
			events.close();
			if (!this.#over && this.#events === events) this.#poll(Date.now() + EVENTS_AGAIN_MS);
		};
		events.addEventListener('status', ({ data }) => {
			clearTimeout(silence);
			try {
				this.#take(JSON.parse(data) as StreamStatus);
			} catch {
				fail();
			}
		});
		events.addEventListener('error', fail);
	}

	/** Asks again and again until it is time to try events again. */
	async #poll(until: number) {
		this.#events = null;
		if (!document.hidden) {
			try {
				this.#take(await api.get<StreamStatus>(`/streams/${encodeURIComponent(this.stream)}/status`));
			} catch (thrown) {
				this.problem = asProblem(thrown);
			}
		}
		if (this.#over) return;
		this.#timer = setTimeout(() => (Date.now() < until ? void this.#poll(until) : this.#listen()), POLL_MS);
	}

	#take(status: StreamStatus) {
		const same = status.live?.broadcast_id === this.status?.live?.broadcast_id;
		this.#rates = measured(same ? this.#rates : [], status.live?.frame_rate ?? null);
		this.status = status;
		this.reduced = reduce(this.reduced, status, Date.now());
		this.problem = null;
	}
}
