/** One form on its way: busy while it is sent, its problem afterwards. */
import { tick } from 'svelte';
import { ApiError, asProblem, type FieldProblem } from './api';

export class Form {
	busy = $state(false);
	#whole = $state.raw<ApiError | null>(null);
	/** The pointers that fields of this form have asked for: they show their errors themselves. */
	#shown = new Set<string>();

	/** What went wrong, without what the fields show already. */
	get problem(): ApiError | null {
		const whole = this.#whole;
		if (!whole) return null;
		const rest = whole.errors.filter(({ pointer }) => !this.#shown.has(pointer));
		return new ApiError(whole.status, whole.code, whole.title, whole.detail, rest, whole.retryAfter);
	}

	set problem(problem: ApiError | null) {
		this.#whole = problem;
	}

	/** All fields that are not as they should be. */
	get errors(): FieldProblem[] {
		return this.#whole?.errors ?? [];
	}

	/** What is wrong with one field, by the JSON Pointer of what was sent. */
	error(pointer: string): string | undefined {
		this.#shown.add(pointer);
		return this.#whole?.at(pointer);
	}

	/** Runs `work`; true when it succeeded. While one runs, another does not begin. */
	async run(work: () => Promise<unknown>): Promise<boolean> {
		if (this.busy) return false;
		this.busy = true;
		try {
			await work();
			this.problem = null;
			return true;
		} catch (thrown) {
			this.problem = asProblem(thrown);
			return false;
		} finally {
			this.busy = false;
		}
	}

	/** A handler for `onsubmit`: sends by script, and puts the cursor where something is wrong. */
	submit(work: () => Promise<unknown>): (event: SubmitEvent) => Promise<void> {
		return async (event) => {
			event.preventDefault();
			const form = event.currentTarget as HTMLFormElement;
			if (await this.run(work)) return;
			await tick();
			form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
		};
	}
}
