/** One form on its way: busy while it is sent, its problem afterwards. */
import { tick } from 'svelte';
import { asProblem, type ApiError } from './api';

export class Form {
	busy = $state(false);
	problem = $state.raw<ApiError | null>(null);

	/** What is wrong with one field, by the JSON Pointer of what was sent. */
	error(pointer: string): string | undefined {
		return this.problem?.at(pointer);
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
