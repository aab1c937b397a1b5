/** What the wizard has been told so far, and what it sends at the end. */
import type { MailSettings, Me, Server, SetupFacts } from '$lib/api';

export const STEPS = ['owner', 'server', 'mail', 'people', 'done'] as const;
export type Step = (typeof STEPS)[number];

/** The step on which each part of the request is asked for: a refusal leads back to it. */
const STEP_OF: [prefix: string, step: Step][] = [
	['/owner', 'owner'],
	['/server', 'server'],
	['/organisation', 'server'],
	['/acme', 'server'],
	['/mail', 'mail']
];

export class Wizard {
	step = $state<Step>('owner');
	owner = $state({ name: '', email: '', password: '' });
	server = $state({ name: '', organisation: '', url: '' });
	acme = $state({ wanted: false, names: '', contact: '' });
	mail = $state({
		wanted: 'smtp' as 'smtp' | 'none',
		host: '',
		port: '587',
		security: 'starttls' as MailSettings['security'],
		username: '',
		password: '',
		from: ''
	});
	signUp = $state<Server['sign_up']>('invite');
	creators = $state<Server['creators']>('request');
	/** The new owner, when the server has taken everything. */
	user = $state<Me | null>(null);

	constructor(
		readonly token: string,
		readonly facts: SetupFacts
	) {
		this.server.url = facts.suggested_url ?? '';
	}

	get at(): number {
		return STEPS.indexOf(this.step);
	}

	move(by: 1 | -1) {
		this.step = STEPS[this.at + by] ?? this.step;
	}

	/** Whether certificates may be asked for here: HTTPS is there, and nothing brings one yet. */
	get acmePossible(): boolean {
		return this.facts.https.listening && this.facts.https.certificate === 'none';
	}

	/** The names to get a certificate for; until somebody types another public address, it follows the first of them. */
	get names(): string {
		return this.acme.names;
	}

	set names(typed: string) {
		const followed = [this.facts.suggested_url ?? '', this.#secure()].includes(this.server.url);
		this.acme.names = typed;
		if (followed) this.server.url = this.#secure() || (this.facts.suggested_url ?? '');
	}

	/** Where people find the server once its certificate is there; `null` where none is asked for. */
	get secureUrl(): string | null {
		if (!this.acmePossible || !this.acme.wanted) return null;
		return this.server.url.startsWith('https:') ? this.server.url : this.#secure();
	}

	#secure(): string {
		const [first] = this.#names();
		return first ? `https://${first}` : '';
	}

	#names(): string[] {
		return this.acme.names.split(/[\s,]+/).filter(Boolean);
	}

	/** The first step that has to do with a refusal. */
	stepOf(pointers: string[]): Step | null {
		const known = pointers.map((pointer) => STEP_OF.find(([prefix]) => pointer.startsWith(prefix))?.[1]);
		return STEPS.find((step) => known.includes(step)) ?? null;
	}

	mailBody(): MailSettings | null {
		if (this.facts.mail_configured || this.mail.wanted === 'none') return null;
		const { host, port, security, username, password, from } = this.mail;
		return {
			host,
			port: Number(port),
			security,
			username: username || null,
			password: password || null,
			from
		};
	}

	body() {
		const { name, organisation, url } = this.server;
		return {
			token: this.token,
			owner: this.owner,
			server: { name, public_url: this.facts.public_url_fixed ? null : url.replace(/\/+$/, '') || null },
			organisation: { name: organisation || name },
			sign_up: this.signUp,
			creators: this.creators,
			mail: this.mailBody(),
			acme:
				this.acmePossible && this.acme.wanted ? { names: this.#names(), contact: this.acme.contact } : null
		};
	}
}
