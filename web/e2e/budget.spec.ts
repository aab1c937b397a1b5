import { asOwner } from './people';
import { enter, newChannel, newCreator, settled } from './creators';
import { expect, expectMoving, test, weigh } from './support';

for (const [name, path] of [
	['home', '/'],
	['browse', '/browse'],
	['a channel that is not live', '/c/light']
] as const) {
	test(`${name} stays under 60 KB of script, 25 of style, 40 of fonts`, async ({ page }) => {
		const weight = await weigh(page, async () => {
			await page.goto(path);
			await page.waitForLoadState('networkidle');
		});
		test.info().annotations.push({ type: 'weight', description: JSON.stringify(weight) });
		expect(weight.Script).toBeGreaterThan(10);
		expect(weight.Script).toBeLessThanOrEqual(60);
		expect(weight.Stylesheet).toBeLessThanOrEqual(25);
		expect(weight.Font).toBeLessThanOrEqual(40);
	});
}

test('signing in and setting up stay under 80 KB of script', async ({ page }) => {
	for (const path of ['/login', '/signup', '/setup']) {
		const weight = await weigh(page, async () => {
			await page.goto(path);
			await page.waitForLoadState('networkidle');
		});
		expect(weight.Script, path).toBeLessThanOrEqual(80);
	}
});

test('watch stays under 270 KB of script and does not fetch the DASH engine', async ({ page, publish }) => {
	publish('light');
	const weight = await weigh(page, async () => {
		await page.goto('/watch/light');
		await expectMoving(page);
	});
	test.info().annotations.push({ type: 'weight', description: JSON.stringify(weight) });
	expect(weight.Script).toBeGreaterThan(100);
	expect(weight.Script).toBeLessThanOrEqual(270);
	expect(weight.Stylesheet).toBeLessThanOrEqual(25);
	expect(weight.Font).toBeLessThanOrEqual(40);
});

test('who watches does not fetch the pages of accounts, studio and server', async ({ page }) => {
	const scripts: Promise<string>[] = [];
	page.on('response', (response) => {
		if (response.request().resourceType() === 'script') scripts.push(response.text());
	});
	await page.goto('/watch/nobody');
	await expect(page.getByText('“nobody” is not live')).toBeVisible();
	const code = (await Promise.all(scripts)).join('\n');
	expect(code).toContain('Stream paused, we keep trying');
	for (const text of ['One more step', 'Who may come in', 'Recovery codes', 'Audit log']) {
		expect(code).not.toContain(text);
	}
});

test('the studio stays under 150 KB of script, the pages of the server under 160', async ({ page }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator);
	const heavy = async (path: string, most: number) => {
		const weight = await weigh(page, async () => {
			await page.goto(path);
			await settled(page);
		});
		test.info().annotations.push({ type: `weight of ${path}`, description: JSON.stringify(weight) });
		expect(weight.Script, path).toBeLessThanOrEqual(most);
		expect(weight.Stylesheet, path).toBeLessThanOrEqual(25);
		expect(weight.Font, path).toBeLessThanOrEqual(40);
	};
	await enter(page, creator.api);
	for (const path of [
		'/studio',
		`/studio/setup/${channel.stream}`,
		`/studio/streams/${channel.stream}`,
		`/studio/channel/${channel.id}`
	]) {
		await heavy(path, 150);
	}
	await page.context().clearCookies();
	await enter(page, await asOwner());
	for (const path of [
		'/admin',
		'/admin/users',
		'/admin/live',
		'/admin/transcoding',
		'/admin/settings',
		'/admin/audit',
		'/api/docs'
	]) {
		await heavy(path, 160);
	}
});
