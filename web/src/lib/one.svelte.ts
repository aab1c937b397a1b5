/** One thing of the API: on its way, there, or not to be had. */
import { asProblem, type ApiError } from './api';

export class One<T> {
	value = $state.raw<T | null>(null);
	problem = $state.raw<ApiError | null>(null);
	#turn = 0;

	constructor(readonly ask: () => Promise<T>) {}

	/** Asks for it. What is there stays until the answer comes; an answer to an earlier question does not count. */
	load = async (): Promise<void> => {
		const turn = ++this.#turn;
		try {
			const value = await this.ask();
			if (turn === this.#turn) this.set(value);
		} catch (thrown) {
			if (turn === this.#turn) this.problem = asProblem(thrown);
		}
	};

	/** What an answer to a change said it is now. */
	set(value: T) {
		this.value = value;
		this.problem = null;
	}

	get missing(): boolean {
		return this.value === null && (this.problem?.status === 404 || this.problem?.status === 410);
	}
}
