/** A list of the API, page after page. */
import { api, asProblem, type ApiError, type Options, type Page } from './api';

export class List<T> {
	/** `null` until the first answer. */
	items = $state.raw<T[] | null>(null);
	cursor = $state<string | null>(null);
	busy = $state(false);
	problem = $state.raw<ApiError | null>(null);
	#turn = 0;
	#query: Options['query'] = {};

	constructor(readonly path: string) {}

	/** From the beginning, with these filters. An answer to an earlier question does not count any more. */
	load(query: Options['query'] = this.#query): Promise<void> {
		this.#query = query;
		return this.#ask(null);
	}

	more(): Promise<void> {
		return this.#ask(this.cursor);
	}

	async #ask(cursor: string | null) {
		const turn = ++this.#turn;
		this.busy = true;
		try {
			const page = await api.get<Partial<Page<T>>>(this.path, { query: { ...this.#query, cursor } });
			if (turn !== this.#turn) return;
			const items = page.items ?? [];
			this.items = cursor ? [...(this.items ?? []), ...items] : items;
			this.cursor = page.next_cursor ?? null;
			this.problem = null;
		} catch (thrown) {
			if (turn === this.#turn) this.problem = asProblem(thrown);
		} finally {
			if (turn === this.#turn) this.busy = false;
		}
	}
}
