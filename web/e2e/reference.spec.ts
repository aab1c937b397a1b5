import { expect, expectAccessible, test } from './support';

test('the API reference finds an operation and opens it by its link', async ({ page }) => {
	const elsewhere: string[] = [];
	page.on('request', (request) => {
		if (!request.url().startsWith(process.env.HEADWATER_URL ?? '')) elsewhere.push(request.url());
	});
	await page.goto('/api/docs');
	await expect(page.getByRole('heading', { name: 'API reference' })).toBeVisible();
	await page.getByLabel('Search').fill('channels post');
	await page.getByText('/api/v1/channels', { exact: true }).first().click();
	await expect(page.getByLabel('With curl', { exact: true })).toHaveValue(
		/curl -X POST '.*\/api\/v1\/channels'/
	);
	await expectAccessible(page);
	await page.goto('/api/docs#get-server');
	await page.reload();
	await expect(page.getByLabel('With curl', { exact: true })).toHaveValue(/\/api\/v1\/server'/);
	expect(elsewhere).toEqual([]);
});
