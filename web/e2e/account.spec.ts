import { expect, test } from './support';
import { asOwner, newPerson, PASSWORD, pendingLink, signIn, tabTo, typeInto } from './people';

test('somebody signs up and is in, by keyboard', async ({ page }) => {
	const email = `nora-${process.pid}@example.org`;
	await page.goto('/signup');
	await typeInto(page, page.getByLabel('Name'), 'Nora');
	await typeInto(page, page.getByLabel('E-mail address'), email);
	await typeInto(page, page.getByLabel('Password', { exact: true }), PASSWORD);
	await expect(page.getByText('Strong')).toBeVisible();
	await page.keyboard.press('Enter');
	await tabTo(page, page.getByRole('button', { name: 'Account of Nora' }));
	await page.keyboard.press('Enter');
	await page.keyboard.press('ArrowDown');
	await expect(page.getByRole('link', { name: 'Profile' })).toBeFocused();
	await page.keyboard.press('Escape');
	await expect(page.getByRole('button', { name: 'Account of Nora' })).toBeFocused();
	await page.keyboard.press('Enter');
	await tabTo(page, page.getByRole('button', { name: 'Sign out' }));
	await page.keyboard.press('Enter');
	await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
});

test('an address that is taken is refused in words', async ({ page }) => {
	const person = await newPerson();
	await page.goto('/signup');
	await page.getByLabel('Name').fill('Somebody');
	await page.getByLabel('E-mail address').fill(person.email);
	await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
	await page.keyboard.press('Enter');
	await expect(page.getByRole('alert').filter({ hasText: 'this address has an account' })).toBeVisible();
	await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('a wrong password is refused in words, the right one leads where one wanted to go', async ({ page }) => {
	const person = await newPerson();
	await page.goto('/me/tokens');
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
	await typeInto(page, page.getByLabel('E-mail address'), person.email);
	await typeInto(page, page.getByLabel('Password', { exact: true }), 'not the password');
	await page.keyboard.press('Enter');
	await expect(
		page.getByRole('alert').filter({ hasText: 'The address or the password is wrong.' })
	).toBeVisible();
	await typeInto(page, page.getByLabel('Password', { exact: true }), person.password);
	await page.keyboard.press('Enter');
	await expect(page.getByRole('heading', { name: 'API tokens' })).toBeVisible();
});

test('a sign-in never leads to another site', async ({ page, baseURL }) => {
	const person = await newPerson();
	await page.goto('/login?next=//evil.example/');
	await page.getByLabel('E-mail address').fill(person.email);
	await page.getByLabel('Password', { exact: true }).fill(person.password);
	await page.keyboard.press('Enter');
	await expect(page.getByRole('button', { name: /^Account of/ })).toBeVisible();
	expect(new URL(page.url()).origin).toBe(baseURL);
});

test('a lost password is replaced by a link that works once', async ({ page }) => {
	const person = await newPerson();
	await page.goto('/login');
	await page.getByRole('link', { name: 'Forgot your password?' }).click();
	await typeInto(page, page.getByLabel('E-mail address'), person.email);
	await page.keyboard.press('Enter');
	await expect(page.getByText(/This server sends no mail/).last()).toBeVisible();

	const link = await pendingLink('reset', person.email);
	await page.goto(link);
	await expect.poll(() => new URL(page.url()).search).toBe('');
	await typeInto(page, page.getByLabel('New password'), 'another evening tide');
	await page.keyboard.press('Enter');
	await expect(page.getByText('Your password is changed.')).toBeVisible();
	await signIn(page, { email: person.email, password: 'another evening tide' });

	await page.goto(link);
	await page.getByLabel('New password').fill('a third evening tide');
	await page.keyboard.press('Enter');
	await expect(page.getByRole('heading', { name: 'This link does not work any more' })).toBeVisible();
	await page.getByRole('button', { name: 'Ask for a new link' }).click();
	await expect(page.getByRole('heading', { name: 'Reset your password' })).toBeVisible();
});

test('an invitation makes an account, once', async ({ page }) => {
	const email = `guest-${process.pid}@example.org`;
	const owner = await asOwner();
	const made = await owner.post('/api/v1/admin/invitations', { data: { email } });
	expect(made.status(), await made.text()).toBe(201);
	const { url } = (await made.json()) as { url: string };
	const { pathname, search } = new URL(url, process.env.HEADWATER_URL);

	await page.goto(pathname + search);
	await expect(page.getByRole('heading', { name: 'Join Harbour Club' })).toBeVisible();
	await expect.poll(() => new URL(page.url()).search).toBe('');
	await expect(page.getByLabel('E-mail address')).toHaveValue(email);
	await typeInto(page, page.getByLabel('Name'), 'Guest');
	await typeInto(page, page.getByLabel('Password', { exact: true }), PASSWORD);
	await page.keyboard.press('Enter');
	await expect(page.getByRole('button', { name: 'Account of Guest' })).toBeVisible();

	await page.context().clearCookies();
	await page.goto(pathname + search);
	await expect(page.getByRole('heading', { name: 'This link does not work any more' })).toBeVisible();
});

test('a profile is changed, its data taken along, and the account deleted', async ({ page }) => {
	const person = await newPerson();
	await signIn(page, person);
	await page.goto('/me');
	await typeInto(page, page.getByLabel('Name'), 'Petra Two');
	await page.keyboard.press('Enter');
	await expect(page.getByRole('status').getByText('Saved.')).toBeVisible();
	await expect(page.getByRole('button', { name: 'Account of Petra Two' })).toBeVisible();

	const download = page.waitForEvent('download');
	await page.getByRole('link', { name: 'Download my data' }).click();
	expect((await download).suggestedFilename()).toMatch(/\.json$/);

	const fresh = `new-${person.email}`;
	await typeInto(page, page.getByLabel('New address'), fresh);
	await page.keyboard.press('Enter');
	await expect(page.getByText(/This server sends no mail/)).toBeVisible();
	await page.goto(await pendingLink('email', fresh));
	// Going away before the answer would leave the new session's cookie behind.
	const confirmed = page.waitForResponse((answer) => answer.url().endsWith('/auth/verify'));
	await page.getByRole('button', { name: 'Confirm my address' }).click();
	await confirmed;
	await page.goto('/me');
	await expect(page.getByText(`Now: ${fresh}`)).toBeVisible();

	await page.getByRole('button', { name: 'Delete account' }).click();
	const dialog = page.getByRole('dialog', { name: 'Delete your account?' });
	await expect(dialog.getByRole('button', { name: 'Delete account' })).toBeDisabled();
	await typeInto(page, dialog.getByLabel(/^Type /), fresh);
	await tabTo(page, dialog.getByRole('button', { name: 'Delete account' }));
	await page.keyboard.press('Enter');
	await expect(page.getByText('Your account is deleted.')).toBeVisible();
	await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
});
