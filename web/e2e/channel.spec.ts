import { pendingLink } from './people';
import { type Creator, enter, newChannel, newCreator, newMember } from './creators';
import { expect, expectAccessible, expectMoving, test } from './support';

test('a channel page becomes live by itself, and says when it is over', async ({ page, publish }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator, 'Harbour cam');
	await page.goto(`/c/${channel.handle}`);
	await expect(page.getByText('Not live right now')).toBeVisible();
	await expectAccessible(page);

	const publisher = publish(channel.key);
	await expectMoving(page);
	await expect(page.getByText('Not live right now')).toBeHidden();
	await page.goto('/');
	const tile = page.getByRole('link', { name: /Harbour cam/ }).first();
	await expect(tile).toHaveAttribute('href', `/c/${channel.handle}`);
	await tile.click();
	await expectMoving(page);
	await publisher.stop();
	await expect(page.getByText(/The stream has ended|Not live right now/).first()).toBeVisible({
		timeout: 60_000
	});
});

test('a channel for adults asks once until the browser is closed', async ({ page }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator, 'Late show', { mature: true });
	await page.goto(`/c/${channel.handle}`);
	await expect(page.getByRole('heading', { name: 'This channel is meant for adults' })).toBeVisible();
	await expectAccessible(page);
	await page.keyboard.press('Tab');
	await page.getByRole('button', { name: 'I am an adult, show it' }).press('Enter');
	await expect(page.getByRole('heading', { name: 'Late show' })).toBeVisible();
	await page.reload();
	await expect(page.getByRole('heading', { name: 'Late show' })).toBeVisible();
});

/** The same person with an address that is shown to be theirs: only such a one is made a member by their address. */
async function confirmed(person: Creator): Promise<Creator> {
	const email = `sure-${person.email}`;
	expect((await person.api.post('/api/v1/me/email', { data: { email } })).ok()).toBe(true);
	const link = await pendingLink('email', email);
	const token = new URL(link, process.env.HEADWATER_URL).searchParams.get('token');
	expect((await person.api.post('/api/v1/auth/verify', { data: { token } })).ok()).toBe(true);
	return { ...person, email };
}

test('a private channel is for its members', async ({ page, browser }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator, 'Club evening', {
		visibility: 'private',
		confirm_rotation: true
	});
	await page.goto(`/c/${channel.handle}`);
	await expect(page.getByRole('heading', { name: 'There is no channel here for you' })).toBeVisible();
	await expect(page.getByRole('main').getByRole('link', { name: 'Sign in' })).toHaveAttribute(
		'href',
		`/login?next=${encodeURIComponent(`/c/${channel.handle}`)}`
	);

	const member = await confirmed(await newMember('Nele'));
	const added = await creator.api.post(`/api/v1/channels/${channel.id}/members`, {
		data: { email: member.email, role: 'viewer' }
	});
	expect(added.ok()).toBe(true);
	const theirs = await (await browser.newContext()).newPage();
	await enter(theirs, member.api);
	await theirs.goto(`/c/${channel.handle}`);
	await expect(theirs.getByRole('heading', { name: 'Club evening' })).toBeVisible();
	await theirs.context().close();
});

test('a former handle leads to the channel', async ({ page }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator, 'Moving house');
	const handle = `${channel.handle}-b`;
	const changed = await creator.api.patch(`/api/v1/channels/${channel.id}`, { data: { handle } });
	expect(changed.status()).toBe(200);
	await page.goto(`/c/${channel.handle}`);
	await page.waitForURL(`**/c/${handle}`);
	await expect(page.getByRole('heading', { name: 'Moving house' })).toBeVisible();
});

test('channels are found by words and by category', async ({ page }) => {
	const creator = await newCreator();
	const word = `zebra${process.pid}`;
	await newChannel(creator, `The ${word} watch`, { category: 'Nature' });
	await page.goto('/browse');
	await page.getByRole('link', { name: 'All channels', exact: true }).click();
	await page.getByLabel('Search channels').fill(word);
	await page.keyboard.press('Enter');
	await expect(page).toHaveURL(new RegExp(`q=${word}`));
	await expect(page.getByRole('list', { name: 'Channels' }).getByRole('listitem')).toHaveCount(1);
	await expectAccessible(page);
	await page.getByLabel('Search channels').fill('no such thing anywhere');
	await page.keyboard.press('Enter');
	await page.getByRole('link', { name: 'Clear filters' }).click();
	await expect(page.getByRole('list', { name: 'Channels' })).toBeVisible();
});
