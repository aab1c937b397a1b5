/** From the first start of a server to the first broadcast of a person, a changed key, and a start of the server again. */
import { type BrowserContextOptions, type Page } from '@playwright/test';
import { newDatabase } from './postgres';
import { desktop, phone } from './screens';
import { startServer } from './server.js';
import { expect, expectMoving, test } from './support';

type Server = Awaited<ReturnType<typeof startServer>>;

const OWNER = { name: 'Olive', email: 'olive@example.org', password: 'a river finds its way' };
const PERSON = { name: 'Petra', email: 'petra@example.org', password: 'boats upon the evening tide' };

async function describe(page: Page, person: typeof OWNER) {
	await page.getByLabel('Name').fill(person.name);
	await page.getByLabel('E-mail address').fill(person.email);
	await page.getByLabel('Password', { exact: true }).fill(person.password);
}

/** The wizard by the link that the server printed: everybody may sign up and stream. */
async function setUp(page: Page, server: Server) {
	await page.goto(server.printedLink());
	await describe(page, OWNER);
	await page.getByRole('button', { name: 'Next' }).click();
	await page.getByLabel('Name of the server').fill('Harbour Club');
	await page.getByRole('button', { name: 'Next' }).click();
	await page.getByRole('radio', { name: /Not at all/ }).check();
	await page.getByRole('button', { name: 'Next' }).click();
	await page.getByRole('radio', { name: /^Everybody With a mail address/ }).check();
	await page.getByRole('radio', { name: /^Everybody with an account/ }).check();
	await page.getByRole('button', { name: 'Finish setup' }).click();
	await expect(page.getByRole('heading', { name: 'Harbour Club is ready' })).toBeVisible();
}

/** A person with an account and a channel, on the page that shows its key. */
async function signUp(page: Page) {
	await page.goto('/signup');
	await describe(page, PERSON);
	await page.getByRole('button', { name: 'Create account' }).click();
	await expect(page.getByRole('button', { name: 'Account of Petra' })).toBeVisible();
	await page.goto('/studio');
	await page.getByRole('link', { name: 'Make a channel' }).click();
	await page.getByLabel('Title').fill('Petra at sea');
	await page.getByLabel('Handle').fill('petra');
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/studio\/setup\//);
	await expect(page.getByTestId('signal')).toHaveAttribute('data-phase', 'waiting');
}

async function copied(page: Page, button: ReturnType<Page['getByRole']>): Promise<string> {
	await page.evaluate(() => navigator.clipboard.writeText(''));
	await button.click();
	const text = () => page.evaluate(() => navigator.clipboard.readText());
	await expect.poll(text).not.toBe('');
	return text();
}

/** Gives the stream another key in place of the one that it had; the new one. */
async function changeKey(page: Page): Promise<string> {
	await page.getByRole('button', { name: 'Change Main key' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByRole('button', { name: 'Change key' }).click();
	await expect(page.getByText('This is the new key. Put it into your encoder.')).toBeVisible();
	const key = await copied(page, dialog.getByRole('button', { name: 'Copy Stream key' }));
	await dialog.getByRole('button', { name: 'Done' }).click();
	return key;
}

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
	for (const [size, screen] of [
		['a desktop', desktop],
		['a phone', phone]
	] as [string, BrowserContextOptions][]) {
		test(`with ${engine}, on ${size}: set up, sign up, go live, change the key, start again`, async ({
			browser,
			publish
		}) => {
			test.setTimeout(150_000);
			const postgres = process.env.TEST_POSTGRES;
			test.skip(engine === 'PostgreSQL' && !postgres, 'TEST_POSTGRES names no server');
			const database = engine === 'PostgreSQL' && postgres ? await newDatabase(postgres) : null;
			const server = await startServer(database ? { HEADWATER_DATABASE_URL: database } : {});
			const open = () =>
				browser.newContext({
					...screen,
					baseURL: server.url,
					permissions: ['clipboard-read', 'clipboard-write']
				});
			const [owners, persons, viewers] = await Promise.all([open(), open(), open()]);
			try {
				await setUp(await owners.newPage(), server);
				await owners.close();

				const studio = await persons.newPage();
				await signUp(studio);
				const signal = studio.getByTestId('signal');
				const key = await copied(studio, studio.getByRole('button', { name: 'Copy Stream key' }));
				const viewer = await viewers.newPage();
				await viewer.goto('/c/petra');
				await expect(viewer.getByText('Not live right now')).toBeVisible();

				const first = publish(key, server.rtmp);
				await expect(signal).toHaveAttribute('data-phase', 'live');
				await expectMoving(viewer);

				const fresh = await changeKey(studio);
				expect(fresh).not.toBe(key);
				expect(await first.ended(), 'the encoder is told, and ends').not.toBe(0);
				// The broadcast waits for the new key, as it waits for an encoder that was cut off.
				await expect(signal).toHaveAttribute('data-phase', 'lost');
				await expect(signal.getByRole('note')).toContainText('the stream key was rotated: use the new one');
				await expect(viewer.getByText('Stream paused, we keep trying')).toBeVisible();

				await server.restart();
				await expect(signal).not.toHaveAttribute('data-phase', 'live');
				expect(await publish(key, server.rtmp).ended(), 'the old key stays refused').not.toBe(0);
				const second = publish(fresh, server.rtmp);
				await expect(signal).toHaveAttribute('data-phase', 'live', { timeout: 30_000 });
				await expectMoving(viewer);
				await second.stop();
			} finally {
				await Promise.all([owners, persons, viewers].map((context) => context.close()));
				await server.stop();
			}
		});
	}
}
