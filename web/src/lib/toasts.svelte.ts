/** Short words after something was done, read out and gone after a while. */

export interface Toast {
	id: number;
	kind: 'good' | 'bad';
	text: string;
}

const SHOWN_MS = 5000;
let next = 0;

class Toasts {
	list = $state<Toast[]>([]);

	good(text: string) {
		this.#add('good', text);
	}

	bad(text: string) {
		this.#add('bad', text);
	}

	#add(kind: Toast['kind'], text: string) {
		const id = next++;
		this.list.push({ id, kind, text });
		setTimeout(() => this.remove(id), kind === 'bad' ? 2 * SHOWN_MS : SHOWN_MS);
	}

	remove(id: number) {
		this.list = this.list.filter((toast) => toast.id !== id);
	}
}

export const toasts = new Toasts();
