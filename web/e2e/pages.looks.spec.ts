import type { Page } from '@playwright/test';
import { newPerson, signIn } from './people';
import { expect, expectAccessible, test } from './support';

function shot(name: string) {
	return { path: `test-results/screens/${name}-${test.info().project.name}.png`, fullPage: true };
}

/** Nothing sticks out at the side, no rule of accessibility is broken. */
async function expectTidy(page: Page, name: string) {
	await page.waitForLoadState('networkidle');
	await page.screenshot(shot(name));
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	expect(wide, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
	await expectAccessible(page);
}

const OPEN = [
	['/browse', 'browse', /./],
	['/login', 'login', 'Sign in'],
	['/signup', 'signup', 'Create an account'],
	['/reset', 'reset', 'Reset your password'],
	['/reset?token=x', 'reset-set', 'Choose a new password'],
	['/verify?token=x', 'verify', 'Confirm your address'],
	['/verify', 'verify-without', 'This page is opened by a link'],
	['/invite?token=x', 'invite-gone', 'This link does not work any more'],
	['/setup', 'setup-done', 'This server is set up already']
] as const;

test('pages for everybody are tidy', async ({ page }) => {
	for (const [path, name, heading] of OPEN) {
		await page.goto(path);
		await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
		await expectTidy(page, name);
	}
});

test('pages of one person are tidy', async ({ page }) => {
	await signIn(page, await newPerson());
	for (const [path, name, heading] of [
		['/me', 'me', 'Profile'],
		['/me/security', 'security', 'Security'],
		['/me/tokens', 'tokens', 'API tokens']
	] as const) {
		await page.goto(path);
		await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
		await expectTidy(page, name);
	}
	await page.getByRole('button', { name: 'New token' }).first().click();
	await expectTidy(page, 'token-new');
	await page.keyboard.press('Escape');
	await page.getByRole('button', { name: /^Account of/ }).click();
	await expectTidy(page, 'account-menu');
	await page.goto('/admin');
	await expect(page.getByText('This part is for those who run the server')).toBeVisible();
	await expectTidy(page, 'admin-forbidden');
});
