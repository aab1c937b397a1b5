import { shownCertificate, startAuthority } from './authority';
import { OWNER, tabTo, typeInto } from './people';
import { freePort, startServer } from './server.js';
import { expect, expectAccessible, test } from './support';

const NAME = 'live.example.test';

test('the wizard gets a certificate for a name, and says which of its answers is refused', async ({
	browser
}) => {
	const https = await freePort();
	const authority = await startAuthority(https);
	const server = await startServer({
		HEADWATER_HTTPS_LISTEN: `127.0.0.1:${https}`,
		HEADWATER_TLS_ACME_DIRECTORY: authority.directory,
		HEADWATER_TLS_ACME_CA: authority.ca
	});
	const context = await browser.newContext({ baseURL: server.url });
	const page = await context.newPage();
	const press = async (name: string) => {
		await tabTo(page, page.getByRole('button', { name, exact: true }));
		await page.keyboard.press('Enter');
	};
	try {
		await page.goto(server.printedLink());
		await typeInto(page, page.getByLabel('Name'), OWNER.name);
		await typeInto(page, page.getByLabel('E-mail address'), OWNER.email);
		await typeInto(page, page.getByLabel('Password', { exact: true }), OWNER.password);
		await press('Next');

		await typeInto(page, page.getByLabel('Name of the server'), 'Harbour Club');
		await expect(page.getByLabel(/^Public address/)).toHaveValue('');
		await tabTo(page, page.getByRole('checkbox', { name: /^Get a certificate/ }));
		await page.keyboard.press('Space');
		await typeInto(page, page.getByLabel('Domain names'), 'not_a.name');
		await typeInto(page, page.getByLabel('Contact for the authority'), OWNER.email);
		await expectAccessible(page);
		await press('Next');
		await page.getByRole('radio', { name: /Not at all/ }).check();
		await press('Next');
		await press('Finish setup');

		// Back where the wrong answer was given.
		await expect(page.getByRole('heading', { name: 'Name and address' })).toBeVisible();
		await expect(page.getByLabel('Domain names')).toHaveAttribute('aria-invalid', 'true');
		await expectAccessible(page);
		await typeInto(page, page.getByLabel('Domain names'), NAME);
		await expect(page.getByLabel(/^Public address/)).toHaveValue(`https://${NAME}`);
		await press('Next');
		await press('Next');
		await press('Finish setup');

		await expect(page.getByRole('heading', { name: 'Harbour Club is ready' })).toBeVisible();
		await expect(page.getByRole('link', { name: `https://${NAME}` })).toBeVisible();
		await expectAccessible(page);
		await expect.poll(() => shownCertificate(https, NAME), { timeout: 30_000 }).toContain(`DNS:${NAME}`);
		expect(await shownCertificate(https, NAME)).toContain('Pebble');

		// Where the wizard was opened, it goes on.
		await typeInto(page, page.getByLabel('Address of your channel'), 'harbour');
		await typeInto(page, page.getByLabel('Title of your channel'), 'Harbour cam');
		await press('Make the channel');
		await expect(page.getByRole('heading', { name: 'Try a broadcast' })).toBeVisible();
		await page.goto('/admin/settings');
		await expect(page.getByLabel(/^Public address/)).toHaveValue(`https://${NAME}`);
		await expectAccessible(page);
	} finally {
		await context.close();
		await server.stop();
		authority.stop();
	}
});
