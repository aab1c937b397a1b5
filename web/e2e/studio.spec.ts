import { asOwner, tabTo, typeInto } from './people';
import { enter, newChannel, newCreator, newMember, whoMayStream } from './creators';
import { expect, expectAccessible, expectMoving, test } from './support';

test('by keyboard alone: ask, get a channel, copy the key, go live, change the key', async ({
	page,
	context,
	publish
}) => {
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await whoMayStream('request');
	const mara = await newMember();
	await enter(page, mara.api);

	await page.goto('/studio');
	await tabTo(page, page.getByRole('button', { name: 'Ask now' }));
	await page.keyboard.press('Enter');
	await expect(page.getByText(/This page goes on when/)).toBeVisible();
	const answer = await (await asOwner()).patch(`/api/v1/admin/users/${mara.id}`, { data: { creator: true } });
	expect(answer.status()).toBe(200);
	await whoMayStream('all');
	await page.reload();
	await tabTo(page, page.getByRole('link', { name: 'Make a channel' }));
	await page.keyboard.press('Enter');

	const handle = `mara-${process.pid}`;
	await typeInto(page, page.getByLabel('Title'), 'Mara at sea');
	await expect(page.getByLabel('Handle')).toHaveValue('mara-at-sea');
	await typeInto(page, page.getByLabel('Handle'), handle);
	await expect(page.getByText(`“${handle}” looks free.`)).toBeVisible();
	await page.keyboard.press('Enter');

	await page.waitForURL(/\/studio\/setup\//);
	const signal = page.getByTestId('signal');
	await expect(signal).toHaveAttribute('data-phase', 'waiting');
	await expect(page.getByLabel('Stream key', { exact: true })).not.toHaveValue(/[a-z0-9]/);
	await tabTo(page, page.getByRole('button', { name: 'Copy Stream key' }));
	await page.keyboard.press('Enter');
	await expect(page.getByText('Copied', { exact: true })).toBeVisible();
	await expect(page.getByLabel('Stream key', { exact: true })).not.toHaveValue(/[a-z0-9]/);
	const key = await page.evaluate(() => navigator.clipboard.readText());
	expect(key.length).toBeGreaterThan(16);

	const wrong = publish(`${key}x`);
	await expect(signal).toHaveAttribute('data-phase', 'waiting');
	await wrong.kill();

	const publisher = publish(key);
	await expect(signal).toHaveAttribute('data-phase', 'live', { timeout: 20_000 });
	await expectMoving(page);
	await expectAccessible(page);

	await tabTo(page, page.getByRole('button', { name: 'Change Main key' }), 120);
	await page.keyboard.press('Enter');
	await expect(page.getByText(/You are live at the moment/)).toBeVisible();
	await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Change key' }));
	await page.keyboard.press('Enter');
	await expect(page.getByText('This is the new key. Put it into your encoder.')).toBeVisible();
	await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Done' }));
	await page.keyboard.press('Enter');
	await expect(signal).not.toHaveAttribute('data-phase', 'live', { timeout: 20_000 });
	await publisher.kill();
});

test('a key that was taken back is refused with its reason, and the page says it', async ({
	page,
	publish
}) => {
	const creator = await newCreator();
	const channel = await newChannel(creator);
	await enter(page, creator.api);
	const added = await creator.api.post(`/api/v1/streams/${channel.stream}/keys`, { data: { name: 'Field' } });
	const { key, secret } = (await added.json()) as { key: { id: string }; secret: string };

	await page.goto(`/studio/setup/${channel.stream}`);
	await expect(page.getByTestId('signal')).toHaveAttribute('data-phase', 'waiting');
	await page.getByRole('button', { name: 'Take back Field' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
	await expect(page.getByText('The key is taken back.')).toBeVisible();
	expect(key.id).toBeTruthy();
	publish(secret);
	await expect(page.getByTestId('signal')).toHaveAttribute('data-phase', 'refused', { timeout: 20_000 });
	await expect(page.getByTestId('signal').getByRole('note')).toContainText(/revoked|taken back/i);
});

test('a confirmation is asked before a key is shown to an old session', async ({ page }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator);
	await enter(page, creator.api);
	let asked = 0;
	await page.route('**/reveal', (route) =>
		asked++ === 0
			? route.fulfill({
					status: 403,
					contentType: 'application/problem+json',
					json: { code: 'fresh_sign_in_required', title: 'Confirm that it is you' }
				})
			: route.continue()
	);
	await page.goto(`/studio/setup/${channel.stream}`);
	await page.getByRole('button', { name: 'Show Stream key' }).click();
	const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
	await dialog.getByLabel('Password', { exact: true }).fill(creator.password);
	await dialog.getByRole('button', { name: 'Confirm' }).click();
	await expect(page.getByLabel('Stream key', { exact: true })).toHaveValue(channel.key);
	await expect(page.getByText(/hidden again in \d+ s/)).toBeVisible();
	await expect(page.getByLabel('Stream key', { exact: true })).not.toHaveValue(channel.key, {
		timeout: 15_000
	});
});

test('a live stream has health and events, and can be ended', async ({ page, publish }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator);
	await enter(page, creator.api);
	publish(channel.key);
	await page.goto(`/studio/streams/${channel.stream}`);
	await expect(page.getByRole('button', { name: 'End broadcast' })).toBeVisible({ timeout: 20_000 });
	await expect(page.getByText('640×360, 360p30')).toBeVisible();
	await expect(page.getByRole('img', { name: /Graph of Bit rate/ })).toBeVisible({ timeout: 30_000 });
	await page.getByText('The same as a table').click();
	await expect(page.getByRole('table', { name: 'Health' }).getByRole('row')).not.toHaveCount(1);
	await expectAccessible(page);

	await page.getByRole('button', { name: 'End broadcast' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'End broadcast' }).click();
	await expect(page.getByText('The broadcast has ended.').first()).toBeVisible();
});

test('a channel is changed, shown to members only after a warning, and deleted by typing its handle', async ({
	page
}) => {
	const creator = await newCreator();
	const channel = await newChannel(creator, 'Night desk');
	await enter(page, creator.api);
	await page.goto(`/studio/channel/${channel.id}`);

	await page.getByLabel('Description').fill('Every evening. See https://example.org/more.');
	await page.getByLabel('Category').fill('Nature');
	await page.getByLabel('Tags').fill('ships, sea,');
	await expect(page.getByRole('button', { name: 'Remove ships' })).toBeVisible();
	await page.getByLabel('Language').selectOption('en');
	await page.getByRole('button', { name: 'Save', exact: true }).click();
	await expect(page.getByText('Saved.')).toBeVisible();

	await page.getByRole('radio', { name: /Members only/ }).check();
	await page.getByRole('button', { name: 'Change', exact: true }).click();
	const warning = page.getByRole('dialog', { name: 'Make the channel private?' });
	await warning.getByRole('button', { name: 'Make private' }).click();
	await expect(page.getByText('Who can watch is changed.')).toBeVisible();

	await page.goto(`/c/${channel.handle}`);
	await expect(page.getByText('Members only')).toBeVisible();
	await expect(page.getByRole('link', { name: 'https://example.org/more' })).toBeVisible();

	await page.goto(`/studio/channel/${channel.id}`);
	await page.getByRole('button', { name: 'Delete channel' }).click();
	const dialog = page.getByRole('dialog', { name: 'Delete the channel' });
	await expect(dialog.getByRole('button', { name: 'Delete channel' })).toBeDisabled();
	await dialog.getByLabel(/to confirm/).fill(channel.handle);
	await dialog.getByRole('button', { name: 'Delete channel' }).click();
	await expect(page.getByRole('heading', { name: 'You have no channel yet' })).toBeVisible();
});

test('a face is cut out of a picture and appears on the channel page', async ({ page }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator);
	await enter(page, creator.api);
	await page.goto(`/studio/channel/${channel.id}`);
	const picture = await page.evaluate(async () => {
		const canvas = new OffscreenCanvas(600, 400);
		const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
		context.fillStyle = '#2a9';
		context.fillRect(0, 0, 600, 400);
		const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
		return btoa(String.fromCharCode(...bytes));
	});
	const chooser = page.waitForEvent('filechooser');
	await page.getByRole('button', { name: 'Choose a face' }).click();
	await (
		await chooser
	).setFiles({ name: 'face.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64') });
	const dialog = page.getByRole('dialog', { name: 'Cut out the face' });
	await dialog.getByLabel('Size').fill('2');
	await expectAccessible(page);
	await dialog.getByRole('button', { name: 'Save picture' }).click();
	await expect(page.getByRole('button', { name: 'Remove the face' })).toBeVisible();
	await page.goto(`/c/${channel.handle}`);
	const face = page.locator('article img').first();
	await expect.poll(() => face.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
});

test('what is not there leads on', async ({ page }) => {
	const creator = await newCreator();
	await enter(page, creator.api);
	for (const [path, way] of [
		['/studio/streams/st00000000000000000000000000', 'Your streams'],
		['/studio/channel/ch00000000000000000000000000', 'Your channels'],
		['/studio/setup/st00000000000000000000000000', 'Your streams']
	]) {
		await page.goto(path as string);
		await expect(page.getByRole('main').getByRole('link', { name: way })).toBeVisible();
		await expectAccessible(page);
	}
});
