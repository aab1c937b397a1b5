import { expect, test } from 'vitest';
import type { SetupFacts } from '$lib/api';
import { Wizard } from './wizard.svelte';

const facts: SetupFacts = {
	mail_configured: false,
	https: { listening: true, certificate: 'none', names: [], error: null, expires_at: null },
	suggested_url: 'http://box:8080',
	public_url_fixed: false
};

function filled(given: Partial<SetupFacts> = {}) {
	const wizard = new Wizard('tok', { ...facts, ...given });
	wizard.owner = { name: 'Ada', email: 'ada@example.org', password: 'long enough' };
	wizard.server = { name: 'Club', organisation: '', url: 'https://live.example.org/' };
	return wizard;
}

test('what was typed becomes one request', () => {
	const wizard = filled();
	wizard.mail = { ...wizard.mail, host: 'mail.example.org', from: 'live@example.org' };
	wizard.acme = { wanted: true, names: 'live.example.org, www.example.org', contact: 'a@example.org' };
	expect(wizard.body()).toMatchObject({
		token: 'tok',
		server: { name: 'Club', public_url: 'https://live.example.org' },
		organisation: { name: 'Club' },
		mail: { host: 'mail.example.org', port: 587, security: 'starttls', username: null },
		acme: { names: ['live.example.org', 'www.example.org'], contact: 'a@example.org' }
	});
});

test('what the configuration decides is not sent', () => {
	const wizard = filled({
		mail_configured: true,
		public_url_fixed: true,
		https: { listening: true, certificate: 'files', names: ['a.example'], error: null, expires_at: null }
	});
	wizard.acme.wanted = true;
	expect(wizard.body()).toMatchObject({ mail: null, acme: null, server: { public_url: null } });
});

test('a refusal leads back to the first step it is about', () => {
	const wizard = filled();
	expect(wizard.stepOf(['/mail/host', '/owner/email'])).toBe('owner');
	expect(wizard.stepOf(['/acme/names'])).toBe('server');
	expect(wizard.stepOf(['/other'])).toBeNull();
});

test('the public address follows the first name of the certificate until somebody types another', () => {
	const wizard = new Wizard('tok', facts);
	wizard.acme.wanted = true;
	expect(wizard.secureUrl).toBe('');
	wizard.names = 'live.example.org www.example.org';
	expect(wizard.server.url).toBe('https://live.example.org');
	wizard.names = '';
	expect(wizard.server.url).toBe('http://box:8080');
	wizard.server.url = 'https://www.example.org';
	wizard.names = 'live.example.org www.example.org';
	expect(wizard.server.url).toBe('https://www.example.org');
	expect(wizard.secureUrl).toBe('https://www.example.org');
	wizard.acme.wanted = false;
	expect(wizard.secureUrl).toBeNull();
});
