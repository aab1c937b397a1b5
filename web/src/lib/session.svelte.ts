/** Who is here, and what server this is: asked once, shared by all pages. */
import { ApiError, api, asProblem, type Me, type Provider, type Server } from './api';
import { region } from './format';

const RETRY_MS = 3000;

class Session {
	server = $state<Server | null>(null);
	me = $state<Me | null>(null);
	/** `unreachable` becomes `ready` by itself when the server is back. */
	state = $state<'loading' | 'ready' | 'unreachable'>('loading');
	#loaded: Promise<void> | null = null;

	/** Settles when both answers are there. The first caller starts the questions. */
	ready(): Promise<void> {
		this.#loaded ??= this.#load();
		return this.#loaded;
	}

	/** Asks again who is here, after something about the person or the server has changed. */
	async refresh(): Promise<void> {
		const [server, me] = await Promise.all([api.get<Server>('/server'), whoAmI()]);
		this.server = server;
		this.#known(me);
	}

	/** Somebody signed in, or their account changed: what the server answered. */
	signedIn(me: Me) {
		this.#known(me);
	}

	signedOut() {
		this.#known(null);
	}

	/** Whether the person may administer the server. */
	get admin(): boolean {
		return this.#atServer('owner') || this.#atServer('admin');
	}

	get owner(): boolean {
		return this.#atServer('owner');
	}

	/** Whether the person may have channels and go live. */
	get creator(): boolean {
		return this.me?.creator === 'granted';
	}

	/** Services to sign in with; none while the server does not know the address to which they lead back. */
	get providers(): Provider[] {
		return this.server?.public_url ? this.server.providers : [];
	}

	get serverName(): string {
		return this.server?.name || 'Headwater';
	}

	#known(me: Me | null) {
		this.me = me;
		region.dates = me && me.locale !== 'en' ? me.locale : undefined;
	}

	#atServer(role: string): boolean {
		return this.me?.roles.some((held) => held.scope === 'server' && held.role === role) ?? false;
	}

	async #load(): Promise<void> {
		for (;;) {
			try {
				await this.refresh();
				this.state = 'ready';
				return;
			} catch (thrown) {
				const { status } = asProblem(thrown);
				this.state = 'unreachable';
				await new Promise((resolve) => setTimeout(resolve, status === 429 ? 10 * RETRY_MS : RETRY_MS));
			}
		}
	}
}

async function whoAmI(): Promise<Me | null> {
	try {
		return await api.get<Me>('/me', { anonymous: true });
	} catch (thrown) {
		if (thrown instanceof ApiError && thrown.status === 401) return null;
		throw thrown;
	}
}

export const session = new Session();
