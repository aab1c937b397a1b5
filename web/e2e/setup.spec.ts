import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, expectAccessible, expectMoving, test } from './support';
import { startServer } from './server.js';
import { tabTo, typeInto } from './people';

test('a new server is set up by keyboard, and its first broadcast is seen', async ({ browser }) => {
	test.setTimeout(150_000);
	const server = await startServer();
	const context = await browser.newContext({
		baseURL: server.url,
		permissions: ['clipboard-read', 'clipboard-write']
	});
	const page = await context.newPage();
	const press = async (name: string) => {
		await tabTo(page, page.getByRole('button', { name, exact: true }));
		await page.keyboard.press('Enter');
	};
	try {
		await page.goto('/');
		await expect(page.getByText('This server is not set up yet.')).toBeVisible();
		await page.goto('/setup?token=wrong');
		await expect(page.getByText('This link is not the newest one.')).toBeVisible();
		await expectAccessible(page);

		await page.goto(await server.setupLink());
		await expect(page.getByRole('heading', { name: 'Your account' })).toBeVisible();
		await expect.poll(() => new URL(page.url()).search).toBe('');
		await expectAccessible(page);
		await page.reload();
		await typeInto(page, page.getByLabel('Name'), 'Ada');
		await typeInto(page, page.getByLabel('E-mail address'), 'ada@example.org');
		await typeInto(page, page.getByLabel('Password', { exact: true }), 'correct horse battery');
		await press('Next');

		await expect(page.getByRole('heading', { name: 'Name and address' })).toBeFocused();
		await typeInto(page, page.getByLabel('Name of the server'), 'Harbour Club');
		await expectAccessible(page);
		await press('Next');

		await expect(page.getByRole('heading', { name: 'Mail', exact: true })).toBeFocused();
		await tabTo(page, page.getByLabel('Through a mail server'));
		await page.keyboard.press('ArrowDown');
		await expectAccessible(page);
		await press('Next');

		await expect(page.getByRole('heading', { name: 'Who may come in' })).toBeFocused();
		await expectAccessible(page);
		await press('Finish setup');

		await expect(page.getByRole('heading', { name: 'Harbour Club is ready' })).toBeFocused();
		await expect(page.getByRole('button', { name: 'Account of Ada' })).toBeVisible();
		await typeInto(page, page.getByLabel('Address of your channel'), 'harbour');
		await typeInto(page, page.getByLabel('Title of your channel'), 'Harbour cam');
		await press('Make the channel');
		await expect(page.getByRole('heading', { name: 'Try a broadcast' })).toBeVisible();
		await expectAccessible(page);

		await press('Copy ffmpeg test picture');
		await expect
			.poll(() => page.evaluate(() => navigator.clipboard.readText()))
			.toMatch(/^ffmpeg .* rtmps?:\/\/\S+\/\S+$/);
		const [, ...arguments_] = (await page.evaluate(() => navigator.clipboard.readText())).split(' ');
		const encoder = spawn('ffmpeg', ['-loglevel', 'error', ...arguments_], {
			stdio: ['ignore', 'ignore', 'inherit']
		});
		try {
			await tabTo(page, page.getByRole('link', { name: 'Open your channel' }));
			await page.keyboard.press('Enter');
			await page.waitForURL('**/c/harbour');
			await expectMoving(page);
		} finally {
			encoder.kill('SIGKILL');
			if (encoder.exitCode === null) await once(encoder, 'exit');
		}

		await page.goto('/setup');
		await expect(page.getByRole('heading', { name: 'This server is set up already' })).toBeVisible();
	} finally {
		await context.close();
		await server.stop();
	}
});
