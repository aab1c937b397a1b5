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

test('home stays under 60 KB of script, 25 of style, 40 of fonts', async ({ page }) => {
	const weight = await weigh(page, async () => {
		await page.goto('/');
		await page.waitForLoadState('networkidle');
	});
	test.info().annotations.push({ type: 'weight', description: JSON.stringify(weight) });
	expect(weight.Script).toBeGreaterThan(10);
	expect(weight.Script).toBeLessThanOrEqual(60);
	expect(weight.Stylesheet).toBeLessThanOrEqual(25);
	expect(weight.Font).toBeLessThanOrEqual(40);
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
