import { asOwner, tabTo, typeInto } from './people';
import { enter, newChannel, newCreator, newMember, whoMayStream } from './creators';
import { expect, expectAccessible, test } from './support';

test.beforeEach(async ({ page }) => enter(page, await asOwner()));

test('by keyboard alone: somebody who asks to stream is found and allowed to', async ({ page }) => {
	await whoMayStream('request');
	const person = await newMember('Quinn');
	await person.api.post('/api/v1/me/creator-request', { data: {} });
	await page.goto('/admin');
	await tabTo(page, page.getByRole('link', { name: 'Look at them' }));
	await page.keyboard.press('Enter');
	await page.waitForURL(/state=requested/);
	await typeInto(page, page.getByLabel('Search'), person.email);
	await page.keyboard.press('Enter');
	await page.waitForURL(/q=/);
	await tabTo(page, page.getByRole('table').getByRole('link', { name: 'Quinn' }));
	await page.keyboard.press('Enter');
	await tabTo(page, page.getByRole('button', { name: 'Allow streaming' }));
	await page.keyboard.press('Enter');
	await expect(page.getByText('This person may stream.')).toBeVisible();
	await whoMayStream('all');
	await expectAccessible(page);
});

test('a person is suspended with a reason and restored', async ({ page }) => {
	const person = await newMember('Rune');
	await page.goto(`/admin/users/${person.id}`);
	await page.getByRole('button', { name: 'Suspend' }).click();
	const dialog = page.getByRole('dialog', { name: 'Suspend Rune?' });
	await expect(dialog.getByRole('button', { name: 'Suspend' })).toBeDisabled();
	await dialog.getByLabel('Reason').fill('Streams what is not theirs');
	await dialog.getByRole('button', { name: 'Suspend' }).click();
	await expect(page.getByText('This account is suspended')).toBeVisible();
	await expect(page.getByText('Streams what is not theirs')).toBeVisible();
	expect((await person.api.get('/api/v1/me')).status()).toBe(401);
	await page.getByRole('button', { name: 'Restore' }).click();
	await expect(page.getByText('This account is suspended')).toBeHidden();

	await page.goto('/admin/audit?action=account.');
	await expect(page.getByRole('table')).toContainText('Account suspend');
	await expect(page.getByRole('table')).toContainText('Streams what is not theirs');
	await expectAccessible(page);
});

test('a broadcast is stopped with a reason', async ({ page, publish }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator);
	publish(channel.key);
	await page.goto('/admin/live');
	await page.getByRole('button', { name: `Stop @${channel.handle}` }).click({ timeout: 30_000 });
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Reason').fill('Test of the alarm');
	await dialog.getByRole('button', { name: 'Stop broadcast' }).click();
	await expect(page.getByRole('status').getByText('The broadcast has ended.')).toBeVisible();
	await expectAccessible(page);
});

test('an invitation is a link that can be taken back', async ({ page }) => {
	await page.goto('/admin/invitations');
	await page.getByRole('button', { name: 'New invitation' }).first().click();
	const email = `guest-${process.pid}@example.org`;
	await page
		.getByRole('dialog')
		.getByLabel(/E-mail address/)
		.fill(email);
	await page.getByRole('dialog').getByRole('button', { name: 'Make invitation' }).click();
	await expect(page.getByRole('dialog').getByLabel('Link', { exact: true })).toHaveValue(/\/invite\?token=/);
	await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
	await page.getByRole('button', { name: new RegExp(`Take back.*${email}`) }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
	await expect(page.getByText('The invitation is taken back.')).toBeVisible();
});

test('settings are saved, and a wrong one says where', async ({ page }) => {
	await page.goto('/admin/settings');
	const name = page.getByLabel('Name of the server');
	const before = await name.inputValue();
	await name.fill(`${before} again`);
	await page.getByRole('region', { name: 'General' }).getByRole('button', { name: 'Save' }).click();
	await expect(page.getByText('Saved.')).toBeVisible();
	await expect(page.getByRole('link', { name: `${before} again` })).toBeVisible();
	await name.fill(before);
	await page.getByRole('region', { name: 'General' }).getByRole('button', { name: 'Save' }).click();
	await expect(page.getByRole('link', { name: before, exact: true })).toBeVisible();

	const kept = page.getByRole('region', { name: 'How long things are kept' });
	await kept.getByLabel('Audit log').fill('99999');
	await kept.getByRole('button', { name: 'Save' }).click();
	await expect(kept.getByRole('alert')).toContainText('3650');
	await expectAccessible(page);
});

test('a creator sees no page of the server', async ({ page, browser }) => {
	const creator = await newCreator();
	const theirs = await (await browser.newContext()).newPage();
	await enter(theirs, creator.api);
	await theirs.goto('/admin/users');
	await expect(theirs.getByText('This part is for those who run the server')).toBeVisible();
	await theirs.context().close();
	await page.goto('/admin/users/us00000000000000000000000000');
	await expect(page.getByRole('main').getByRole('link', { name: 'All people' })).toBeVisible();
});
