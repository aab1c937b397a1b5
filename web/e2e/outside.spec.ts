/** Ways in that lead through somebody else's program: mail, and an identity provider. */
import { MailServer } from './mail';
import { OWNER, signIn, tabTo, typeInto } from './people';
import { startProvider } from './provider';
import { setUp, startServer } from './server.js';
import { expect, expectAccessible, test } from './support';

const PASSWORD = 'boats upon the evening tide';

test('an address is confirmed, and a password set again, by the links that are mailed', async ({
	browser
}) => {
	const mails = new MailServer();
	const port = await mails.start();
	const server = await startServer();
	const context = await browser.newContext({ baseURL: server.url });
	const page = await context.newPage();
	/** Opens the link as soon as it is there, as somebody does who looks into their mail. */
	const open = async (path: string) => {
		await expect.poll(() => mails.link('nora@example.org', path)).toBeDefined();
		await page.goto(mails.link('nora@example.org', path) as string);
	};
	try {
		await setUp(server, {
			server: { name: 'Harbour Club', public_url: server.url },
			mail: {
				host: '127.0.0.1',
				port,
				security: 'none',
				username: null,
				password: null,
				from: 'Harbour Club <club@example.org>'
			}
		});
		await page.goto('/signup');
		await typeInto(page, page.getByLabel('Name'), 'Nora');
		await typeInto(page, page.getByLabel('E-mail address'), 'nora@example.org');
		await typeInto(page, page.getByLabel('Password', { exact: true }), PASSWORD);
		await page.keyboard.press('Enter');
		await expect(page.getByRole('heading', { name: 'Look into your mail' })).toBeVisible();
		await expectAccessible(page);

		await open('/verify');
		await expect.poll(() => new URL(page.url()).search).toBe('');
		await expectAccessible(page);
		await tabTo(page, page.getByRole('button', { name: 'Confirm my address' }));
		await page.keyboard.press('Enter');
		await expect(page.getByText('Your address is confirmed.')).toBeVisible();
		await expect(page.getByRole('button', { name: 'Account of Nora' })).toBeVisible();
		await page.goto('/me');
		await expect(page.getByText('Now: nora@example.org')).toBeVisible();
		await expect(page.getByText('not confirmed yet')).toBeHidden();

		await context.clearCookies();
		await page.goto('/reset');
		await page.getByLabel('E-mail address').fill('nora@example.org');
		await page.keyboard.press('Enter');
		await expect(page.getByRole('heading', { name: 'Look into your mail' })).toBeVisible();
		await open('/reset');
		await page.getByLabel('New password').fill('another evening tide');
		await page.keyboard.press('Enter');
		await expect(page.getByText('Your password is changed.')).toBeVisible();
		await signIn(page, { email: 'nora@example.org', password: 'another evening tide' });
		await expect(page.getByRole('button', { name: 'Account of Nora' })).toBeVisible();
	} finally {
		await context.close();
		await server.stop();
		mails.stop();
	}
});

test('an administrator adds a provider, and somebody signs in with it', async ({ browser }) => {
	const provider = await startProvider({ sub: 'wiebke', email: 'wiebke@example.org', name: 'Wiebke' });
	const server = await startServer({ HEADWATER_OUTBOUND_ALLOW: '127.0.0.0/8' });
	const [owners, persons] = await Promise.all([
		browser.newContext({ baseURL: server.url }),
		browser.newContext({ baseURL: server.url })
	]);
	try {
		await setUp(server);
		const admin = await owners.newPage();
		await signIn(admin, OWNER);
		await admin.goto('/admin/settings');
		const add = admin.getByRole('button', { name: 'Add provider' });
		await expect(add).toBeDisabled();
		await expect(admin.getByRole('note').filter({ hasText: 'Set the public address' })).toBeVisible();
		await typeInto(admin, admin.getByLabel(/^Public address/), server.url);
		await admin.keyboard.press('Enter');
		await add.click();
		const dialog = admin.getByRole('dialog', { name: 'Identity provider' });
		await typeInto(admin, dialog.getByLabel('Name on the button'), 'Harbour ID');
		await expect(dialog.getByLabel('Address to register with the provider', { exact: true })).toHaveValue(
			`${server.url}/api/v1/auth/oidc/harbour-id/callback`
		);
		await typeInto(admin, dialog.getByLabel('Issuer'), provider.issuer);
		await typeInto(admin, dialog.getByLabel('Client id'), 'harbour-club');
		await typeInto(admin, dialog.getByLabel('Client secret', { exact: true }), 's3cret');
		await dialog.getByLabel('New people may make an account with it').check();
		await expectAccessible(admin);
		await dialog.getByRole('button', { name: 'Save' }).click();
		await expect(admin.getByText('The provider is saved.')).toBeVisible();
		await expect(admin.getByRole('row', { name: /Harbour ID/ })).toContainText(provider.issuer);

		const page = await persons.newPage();
		await page.goto('/me/tokens');
		const enter = page.getByRole('link', { name: 'Continue with Harbour ID' });
		await tabTo(page, enter);
		await page.keyboard.press('Enter');
		await page.getByRole('button', { name: 'wiebke', exact: true }).click();
		await expect(page.getByRole('heading', { name: 'API tokens' })).toBeVisible();
		await expect(page.getByRole('button', { name: 'Account of Wiebke' })).toBeVisible();
		await page.goto('/me/security');
		await expect(page.getByRole('row', { name: /Harbour ID/ })).toBeVisible();
		await expectAccessible(page);
	} finally {
		await Promise.all([owners.close(), persons.close()]);
		await server.stop();
		provider.stop();
	}
});
