/** The question "is it you?", asked when the server wants a fresh sign-in. Several requests share one question. */

class Confirmation {
	asked = $state(false);
	#answer: ((confirmed: boolean) => void) | null = null;
	#question: Promise<boolean> | null = null;

	ask(): Promise<boolean> {
		this.#question ??= new Promise((resolve) => {
			this.#answer = resolve;
			this.asked = true;
		});
		return this.#question;
	}

	answer(confirmed: boolean) {
		this.asked = false;
		this.#question = null;
		this.#answer?.(confirmed);
	}
}

export const confirmation = new Confirmation();
