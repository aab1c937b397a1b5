import { expect, expectAccessible, expectMoving, shownLatency, test } from './support';

function shot(name: string) {
	return { path: `test-results/screens/${name}-${test.info().project.name}.png` };
}

test('an empty server says how to publish', async ({ page }) => {
	// Broadcasts of earlier tests wait for their sources a while longer.
	await page.route('/api/v1/live', (route) => route.fulfill({ json: { streams: [] } }));
	await page.goto('/');
	await expect(page.getByRole('heading', { name: 'Nothing is live yet' })).toBeVisible();
	await expect(page.getByRole('heading', { name: 'Be the first' })).toBeVisible();
	await expect(page.getByRole('main').getByRole('link', { name: 'Go live' })).toBeVisible();
	await page.screenshot(shot('empty'));
	await expectAccessible(page);
});

test('a server that nobody has set up says how to publish', async ({ page }) => {
	await page.route('/api/v1/live', (route) => route.fulfill({ json: { streams: [] } }));
	await page.route('/api/v1/server', async (route) => {
		const response = await route.fetch();
		await route.fulfill({ response, json: { ...(await response.json()), setup_done: false } });
	});
	await page.goto('/');
	await expect(page.getByLabel('Command', { exact: true })).toHaveValue(
		/^ffmpeg .*rtmp:\/\/.*\/stream\/colors$/
	);
	await expect(page.getByRole('button', { name: 'Copy Stream key' })).toBeVisible();
	await page.screenshot(shot('new'));
	await expectAccessible(page);
});

test('a live stream has a tile with its picture, and a page where it plays', async ({ page, publish }) => {
	const name = `look-${test.info().project.name}`;
	await page.goto('/');
	const publisher = publish(name);
	const tile = page.getByRole('link', { name: new RegExp(name) });
	await expect(tile).toBeVisible();
	await expect
		.poll(() => tile.locator('video').evaluate((video: HTMLVideoElement) => video.readyState))
		.toBeGreaterThanOrEqual(2);
	await page.screenshot(shot('home'));
	await expectAccessible(page);

	await tile.click();
	await expect(page.getByRole('heading', { name })).toBeVisible();
	await expectMoving(page);
	await expect.poll(() => shownLatency(page)).toBeLessThan(2.5);
	expect(await shownLatency(page)).toBeGreaterThan(0.1);
	await page.screenshot(shot('watch'));
	await expectAccessible(page);

	await page.keyboard.press('s');
	await expect(page.getByRole('region', { name: 'Stats for nerds' })).toContainText('hls.js');
	await page.getByRole('button', { name: /behind live/ }).click();
	await expect(page.getByRole('radio', { name: /Low latency/ })).toBeChecked();
	await page.screenshot(shot('settings'));
	await expectAccessible(page);
	await page.keyboard.press('Escape');

	await publisher.kill();
	await expect(page.getByText('Stream paused, we keep trying')).toBeVisible();
	await page.screenshot(shot('paused'));
	await expectAccessible(page);
});

test('a stream nobody publishes says what to do', async ({ page }) => {
	await page.goto('/watch/nobody');
	await expect(page.getByText('“nobody” is not live')).toBeVisible();
	await expect(page.getByLabel('Stream key', { exact: true })).toHaveValue('nobody');
	await page.screenshot(shot('missing'));
	await expectAccessible(page);
});

test('a wrong address leads back home', async ({ page }) => {
	await page.goto('/watch/a/b/c');
	await expect(page.getByRole('link', { name: 'See what is live' })).toBeVisible();
	await expectAccessible(page);
});
