import { expect, expectMoving, test } from './support';
import type { Page } from '@playwright/test';

/** Kilobytes over the wire by kind of file, since the page was opened. */
async function weigh(page: Page, open: () => Promise<void>): Promise<Record<string, number>> {
	const session = await page.context().newCDPSession(page);
	const kinds = new Map<string, string>();
	const bytes: Record<string, number> = { Script: 0, Stylesheet: 0, Font: 0 };
	await session.send('Network.enable');
	await session.send('Network.setCacheDisabled', { cacheDisabled: true });
	session.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
	session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
		const kind = kinds.get(requestId) ?? 'Other';
		bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength / 1000;
	});
	await open();
	return bytes;
}

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
	await page.waitForLoadState('networkidle');
	const code = (await Promise.all(scripts)).join('\n');
	expect(code).toContain('Stream paused, we keep trying');
	for (const text of ['One more step', 'Who may come in', 'Recovery codes', 'Audit log']) {
		expect(code).not.toContain(text);
	}
});
