import type { CDPSession, Page } from '@playwright/test';
import { enter, newChannel, newCreator, newLadder } from './creators';
import { asOwner, tabTo, typeInto } from './people';
import { expect, expectAccessible, expectMoving, lines, openSettings, test } from './support';

/** Counts from now on how long the picture stands still at most, in seconds. */
async function watchStalls(page: Page) {
	await page.evaluate(() => {
		const video = document.querySelector('live-video')?.shadowRoot?.querySelector('video');
		const root = document.documentElement;
		root.dataset.stall = '0';
		let [at, since] = [video?.currentTime, performance.now()];
		setInterval(() => {
			if (video?.currentTime !== at) [at, since] = [video?.currentTime, performance.now()];
			const stood = (performance.now() - since) / 1000;
			root.dataset.stall = String(Math.max(stood, Number(root.dataset.stall)));
		}, 20);
	});
}

async function longestStall(page: Page): Promise<number> {
	return Number(await page.locator('html').getAttribute('data-stall'));
}

/** Slows the page's network down to so many kilobits per second; 0 for no limit. */
async function throttle(network: CDPSession, kilobits: number) {
	await network.send('Network.emulateNetworkConditions', {
		offline: false,
		latency: kilobits ? 20 : 0,
		downloadThroughput: kilobits ? (kilobits * 1000) / 8 : -1,
		uploadThroughput: -1
	});
}

/** Both qualities are made, and the page shows the source. */
async function atTheSource(page: Page, path: string) {
	await page.setViewportSize({ width: 1440, height: 900 });
	await page.goto(path);
	await expectMoving(page);
	await expect.poll(() => lines(page), { timeout: 45_000 }).toBe(360);
}

test('by keyboard alone: a viewer chooses a quality, automatic choice and data saver', async ({
	page,
	publish
}) => {
	const channel = await newLadder();
	publish(channel.key);
	await atTheSource(page, `/c/${channel.handle}`);
	await tabTo(page, page.getByRole('button', { name: /behind live/ }));
	await page.keyboard.press('Enter');
	const menu = page.getByRole('dialog', { name: 'Quality, sound and latency' });
	const quality = menu.getByRole('group', { name: 'Quality' });
	await expect(quality.getByRole('radio')).toHaveCount(5);
	await expect(quality.getByRole('radio', { name: /Auto.*now 360p/ })).toBeChecked();
	await expect(quality.getByRole('radio', { name: /^360p.*source/ })).toBeVisible();
	await expectAccessible(page);

	await tabTo(page, quality.getByRole('radio', { name: /Auto/ }));
	for (let presses = 0; presses < 3; presses++) await page.keyboard.press('ArrowDown');
	await expect(quality.getByRole('radio', { name: /^144p/ })).toBeChecked();
	await expect.poll(() => lines(page)).toBe(144);
	await expectMoving(page);

	await page.keyboard.press('ArrowUp');
	await expect.poll(() => lines(page)).toBe(240);
	await tabTo(page, quality.getByRole('checkbox', { name: /Data saver/ }));
	await page.keyboard.press('Space');
	await page.reload();
	await expectMoving(page);
	await openSettings(page);
	await expect(page.getByRole('checkbox', { name: /Data saver/ })).toBeChecked();
	await page.getByRole('checkbox', { name: /Data saver/ }).uncheck();
});

for (const mode of ['Low latency', 'DASH']) {
	test(`a viewer whose link becomes slow goes on watching, and gets the source back: ${mode}`, async ({
		page,
		context,
		publish
	}) => {
		test.setTimeout(180_000);
		const channel = await newLadder();
		publish(channel.key);
		await page.addInitScript((dash) => {
			localStorage.setItem('headwater.mode', dash ? 'dash' : 'low');
		}, mode === 'DASH');
		await atTheSource(page, `/c/${channel.handle}`);
		// The page has looked at the qualities that it does not play.
		await page.waitForTimeout(8000);
		const network = await context.newCDPSession(page);
		await watchStalls(page);
		await throttle(network, 800);
		await expect.poll(() => lines(page), { timeout: 10_000 }).toBeLessThan(360);
		await page.waitForTimeout(15_000);
		expect(await lines(page)).toBeLessThan(360);
		const stall = await longestStall(page);
		test.info().annotations.push({ type: 'longest stall', description: `${stall.toFixed(2)} s` });
		expect(stall).toBeLessThan(1);

		await throttle(network, 0);
		await expect.poll(() => lines(page), { timeout: 60_000 }).toBe(360);
		await page.waitForTimeout(10_000);
		expect(await lines(page)).toBe(360);
		expect(await longestStall(page)).toBeLessThan(1);
	});
}

test('a creator chooses qualities, sees what will become of them, and how they do', async ({
	page,
	publish
}) => {
	test.setTimeout(150_000);
	const creator = await newCreator('Lad');
	const channel = await newChannel(creator, 'Harbour ladder');
	await enter(page, creator.api);
	await page.goto(`/studio/streams/${channel.stream}`);
	const card = page.getByRole('region', { name: 'Qualities' });
	const forecast = card.getByRole('table', { name: 'Qualities that viewers will get' });
	await expect(forecast.getByRole('row')).not.toHaveCount(0);

	await tabTo(page, card.getByRole('radio', { name: /As the server says/ }), 200);
	for (let presses = 0; presses < 3; presses++) await page.keyboard.press('ArrowDown');
	await expect(card.getByRole('radio', { name: /My own/ })).toBeChecked();
	const first = card.getByRole('group', { name: 'Quality 1' });
	await expect(first).toBeVisible();
	await typeInto(page, first.getByLabel('Lines'), '9');
	await expect(first.getByText(/120 to 4320/)).toBeVisible();
	await expectAccessible(page);
	for (const remove of (await card.getByRole('button', { name: /^Remove/ }).all()).slice(1).toReversed()) {
		await remove.click();
	}
	await typeInto(page, first.getByLabel('Name'), 'small');
	await typeInto(page, first.getByLabel('Lines'), '240');
	await typeInto(page, first.getByLabel('Frames/s, at most'), '30');
	await typeInto(page, first.getByLabel('kb/s'), '350');
	await expect(forecast.getByRole('row', { name: /small/ })).toContainText('240p');
	await tabTo(page, card.getByRole('button', { name: 'Save qualities' }));
	await page.keyboard.press('Enter');
	await expect(page.getByText('Saved. It counts from the next broadcast on.')).toBeVisible();
	await page.reload();
	await expect(first.getByLabel('Name')).toHaveValue('small');

	publish(channel.key);
	const now = card.getByRole('table', { name: 'Qualities of this broadcast' });
	await expect(now.getByRole('row', { name: /small/ })).toContainText('is made', { timeout: 45_000 });
	await expect(now.getByRole('row', { name: /small/ })).toContainText('cores');
	await expectAccessible(page);

	await page.context().clearCookies();
	await enter(page, await asOwner());
	await page.goto('/admin/transcoding');
	const jobs = page.getByRole('table', { name: /Broadcasts whose qualities are made/ });
	await expect(jobs).toContainText('small');
	const encoders = page.getByRole('table', { name: 'Encoders of this machine' });
	await expect(encoders.getByRole('row', { name: /libx264/ })).toContainText('Yes');
	await expectAccessible(page);
});
