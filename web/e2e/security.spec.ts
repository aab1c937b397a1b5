import { expect, test } from './support';
import { as, asOwner, elsewhere, newPerson, pendingLink, signIn, tabTo, totp, typeInto } from './people';

test('an authenticator app is turned on, asked for, and a recovery code helps once', async ({ page }) => {
	const person = await newPerson();
	await signIn(page, person);
	await page.goto('/me/security');
	await page.getByRole('button', { name: 'Set up' }).click();
	await expect(page.getByRole('img', { name: 'QR code for the authenticator app' })).toBeVisible();
	const secret = await page.getByLabel('Key', { exact: true }).inputValue();
	await typeInto(page, page.getByLabel('Code from the app'), totp(secret));
	await page.keyboard.press('Enter');
	const codes = (await page.getByRole('textbox', { name: 'Recovery codes' }).inputValue()).split('\n');
	expect(codes).toHaveLength(10);
	await page.getByRole('button', { name: 'I have kept them' }).click();
	await expect(page.getByText('10 codes are left.')).toBeVisible();

	await page.context().clearCookies();
	const ask = async () => {
		await page.goto('/login');
		await page.getByLabel('E-mail address').fill(person.email);
		await page.getByLabel('Password', { exact: true }).fill(person.password);
		await page.keyboard.press('Enter');
		await expect(page.getByRole('heading', { name: 'One more step' })).toBeVisible();
	};
	await ask();
	await page.keyboard.type('000000');
	await page.keyboard.press('Enter');
	await expect(page.getByText('This code does not fit.')).toBeVisible();
	// The code that turned it on is used up: the next one is good already.
	await page.keyboard.press('ControlOrMeta+a');
	await page.keyboard.type(totp(secret, Date.now() + 30_000));
	await page.keyboard.press('Enter');
	await expect(page.getByRole('button', { name: 'Account of Petra' })).toBeVisible();

	for (const works of [true, false]) {
		await page.context().clearCookies();
		await ask();
		await tabTo(page, page.getByRole('button', { name: 'Use a recovery code instead' }));
		await page.keyboard.press('Enter');
		await page.getByLabel('Recovery code').fill(codes[0] ?? '');
		await page.keyboard.press('Enter');
		if (works) await expect(page.getByRole('button', { name: 'Account of Petra' })).toBeVisible();
		else await expect(page.getByText('This code does not fit.')).toBeVisible();
	}
});

test('whoever has a second factor is asked for it after a link, too', async ({ page }) => {
	const person = await newPerson();
	const api = await as(person.email, person.password);
	const { secret } = await (await api.post('/api/v1/me/totp/start', { data: {} })).json();
	const made = await api.post('/api/v1/me/totp', { data: { code: totp(secret) } });
	const { recovery_codes: codes } = (await made.json()) as { recovery_codes: string[] };
	const email = `moved-${person.email}`;
	expect((await api.post('/api/v1/me/email', { data: { email } })).ok()).toBe(true);

	await page.goto(await pendingLink('email', email));
	await page.getByRole('button', { name: 'Confirm my address' }).click();
	await expect(page.getByText('Your address is confirmed.')).toBeVisible();
	await expect(page.getByRole('heading', { name: 'One more step' })).toBeVisible();
	await expect(page.getByLabel('Code from your authenticator app')).toBeFocused();
	await page.keyboard.type(totp(secret, Date.now() + 30_000));
	await page.keyboard.press('Enter');
	await expect(page.getByRole('button', { name: 'Account of Petra' })).toBeVisible();
	await page.goto('/me');
	await expect(page.getByText(`Now: ${email}`)).toBeVisible();

	await page.context().clearCookies();
	await page.goto('/reset');
	await page.getByLabel('E-mail address').fill(email);
	await page.keyboard.press('Enter');
	await expect(page.getByText(/This server sends no mail/).last()).toBeVisible();
	await page.goto(await pendingLink('reset', email));
	await page.getByLabel('New password').fill('another evening tide');
	await page.keyboard.press('Enter');
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
	await page.getByLabel('E-mail address').fill(email);
	await page.getByLabel('Password', { exact: true }).fill('another evening tide');
	await page.keyboard.press('Enter');
	await page.getByRole('button', { name: 'Use a recovery code instead' }).click();
	await page.getByLabel('Recovery code').fill(codes[0] ?? '');
	await page.keyboard.press('Enter');
	await expect(page.getByRole('button', { name: 'Account of Petra' })).toBeVisible();
});

test('whoever comes by an invitation for a role that needs a second factor is led to it', async ({
	page
}) => {
	const owner = await asOwner();
	const require = async (required_factor_roles: string[]) => {
		const answer = await owner.patch('/api/v1/admin/settings', { data: { required_factor_roles } });
		expect(answer.status(), await answer.text()).toBe(200);
	};
	const made = await owner.post('/api/v1/admin/invitations', { data: { role: 'moderator' } });
	const { url } = (await made.json()) as { url: string };
	const { pathname, search } = new URL(url, process.env.HEADWATER_URL);
	await require(['moderator']);
	try {
		await page.goto(pathname + search);
		await page.getByLabel('Name').fill('Mo');
		await page.getByLabel('E-mail address').fill(`mo-${process.pid}@example.org`);
		await page.getByLabel('Password', { exact: true }).fill('boats upon the evening tide');
		await page.keyboard.press('Enter');
		await expect(page.getByRole('heading', { level: 1, name: 'Security' })).toBeVisible();
	} finally {
		await require([]);
	}
});

test('a passkey is made, signs in without a password, and is removed', async ({ page }) => {
	const cdp = await page.context().newCDPSession(page);
	await cdp.send('WebAuthn.enable');
	const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
		options: {
			protocol: 'ctap2',
			transport: 'internal',
			hasResidentKey: true,
			hasUserVerification: true,
			isUserVerified: true
		}
	});
	const person = await newPerson();
	await signIn(page, person);
	await page.goto('/me/security');
	await page.getByRole('button', { name: 'Add a passkey' }).click();
	const dialog = page.getByRole('dialog', { name: 'Add a passkey' });
	await typeInto(page, dialog.getByLabel('Name'), 'Test laptop');
	await page.keyboard.press('Enter');
	await page.getByRole('button', { name: 'I have kept them' }).click();
	await expect(page.getByRole('rowheader', { name: 'Test laptop' })).toBeVisible();
	const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
	expect(credentials).toHaveLength(1);

	await page.context().clearCookies();
	await page.goto('/login');
	// The virtual authenticator answers at once, so the offer inside the mail field may be quicker than the button.
	await page
		.getByRole('button', { name: 'Sign in with a passkey' })
		.click({ timeout: 3000 })
		.catch(() => {});
	await expect(page.getByRole('button', { name: 'Account of Petra' })).toBeVisible();

	await page.goto('/me/security');
	await page
		.getByRole('row', { name: /Test laptop/ })
		.getByRole('button', { name: 'Remove' })
		.click();
	await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
	await expect(page.getByText('No passkey yet.')).toBeVisible();
});

test('a change of the password signs out everywhere else', async ({ page, browser }) => {
	const person = await newPerson();
	const other = await elsewhere(browser);
	await signIn(other, person);
	await signIn(page, person);
	await page.goto('/me/security');
	await expect(page.getByRole('row').filter({ hasText: 'Chrome on Linux' })).toHaveCount(2);
	await page.getByRole('button', { name: 'Change password' }).click();
	await typeInto(page, page.getByLabel('Current password'), person.password);
	await typeInto(page, page.getByLabel('New password'), 'another evening tide');
	await page.keyboard.press('Enter');
	await expect(page.getByRole('status').getByText('Your password is changed.')).toBeVisible();
	await other.goto('/me');
	await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible();
	await other.context().close();
});

test('one session is ended from another', async ({ page, browser }) => {
	const person = await newPerson();
	const other = await elsewhere(browser);
	await signIn(other, person);
	await signIn(page, person);
	await page.goto('/me/security');
	const row = page.getByRole('row').filter({ hasNotText: 'This browser' }).filter({ hasText: 'Chrome' });
	await tabTo(page, row.getByRole('button', { name: 'Sign out' }));
	await page.keyboard.press('Enter');
	await expect(page.getByRole('status').getByText('Signed out there.')).toBeVisible();
	await expect(row).toHaveCount(0);
	// A page that is open meanwhile notices with its next question, and leads back after signing in.
	await other.getByRole('button', { name: /^Account of/ }).click();
	await other.getByRole('link', { name: 'API tokens' }).click();
	await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible();
	expect(new URL(other.url()).searchParams.get('next')).toBe('/me/tokens');
	await other.context().close();
});

test('a token is made, works within its scopes, and stops when it is revoked', async ({ page, request }) => {
	const person = await newPerson();
	await signIn(page, person);
	await page.goto('/me/tokens');
	await expect(page.getByRole('heading', { name: 'No tokens yet' })).toBeVisible();
	await page.getByRole('button', { name: 'New token' }).first().click();
	const dialog = page.getByRole('dialog');
	await typeInto(page, dialog.getByLabel('Name'), 'backup script');
	await page.keyboard.press('Enter');
	const secret = await dialog.getByLabel('Token', { exact: true }).inputValue();
	const ask = () => request.get('/api/v1/me', { headers: { authorization: `Bearer ${secret}` } });
	expect((await ask()).status()).toBe(200);
	const write = await request.post('/api/v1/channels', {
		headers: { authorization: `Bearer ${secret}` },
		data: { handle: 'by-token', title: 'By token' }
	});
	expect(write.status()).toBe(403);
	await page.getByRole('button', { name: 'Done' }).click();
	await expect(page.getByText(secret)).toHaveCount(0);

	await page
		.getByRole('row', { name: /backup script/ })
		.getByRole('button', { name: 'Revoke' })
		.click();
	await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
	await expect(page.getByRole('heading', { name: 'No tokens yet' })).toBeVisible();
	expect((await ask()).status()).toBe(401);
});

test('whoever signed in long ago is asked again before something that matters', async ({ page }) => {
	const person = await newPerson();
	await signIn(page, person);
	await page.goto('/me/security');
	// Ten minutes are too long for a test: the first answer is the one that the server gives then.
	let refused = 0;
	await page.route('/api/v1/me/totp/start', async (route) => {
		if (refused++ > 0) return route.continue();
		await route.fulfill({
			status: 403,
			contentType: 'application/problem+json',
			json: { code: 'fresh_sign_in_required', title: 'Confirm that it is you', status: 403 }
		});
	});
	await tabTo(page, page.getByRole('button', { name: 'Set up' }));
	await page.keyboard.press('Enter');
	const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
	await expect(dialog.getByLabel('Password', { exact: true })).toBeFocused();
	await page.keyboard.type('wrong password');
	await page.keyboard.press('Enter');
	await expect(dialog.getByRole('alert')).toBeVisible();
	await page.keyboard.press('ControlOrMeta+a');
	await page.keyboard.type(person.password);
	await page.keyboard.press('Enter');
	await expect(page.getByRole('img', { name: 'QR code for the authenticator app' })).toBeVisible();
	await page.keyboard.press('Escape');
	await expect(page.getByRole('button', { name: 'Set up' })).toBeFocused();
});
