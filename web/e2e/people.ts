/** People in the tests: made by the API where making them is not what is tested. */
import { createHmac } from 'node:crypto';
import {
	type APIRequestContext,
	type Browser,
	expect,
	type Locator,
	type Page,
	request
} from '@playwright/test';
import { OWNER } from './server.js';

export { OWNER };
export const PASSWORD = 'boats upon the evening tide';

/** Asks as one who is signed in, without a page. */
export async function as(email: string, password: string): Promise<APIRequestContext> {
	const baseURL = process.env.HEADWATER_URL;
	const context = await request.newContext({ baseURL, extraHTTPHeaders: { origin: baseURL ?? '' } });
	const answer = await context.post('/api/v1/auth/sign-in', { data: { email, password } });
	expect(answer.status(), await answer.text()).toBe(200);
	return context;
}

let owner: APIRequestContext | null = null;

/** The owner's requests, signed in once for the whole run: attempts are counted. */
export async function asOwner(): Promise<APIRequestContext> {
	owner ??= await as(OWNER.email, OWNER.password);
	return owner;
}

/** The newest link of this kind for an address, as an administrator sees it on a server without mail. */
export async function pendingLink(kind: 'reset' | 'email', email: string): Promise<string> {
	const answer = await (await asOwner()).get('/api/v1/admin/links');
	expect(answer.status(), await answer.text()).toBe(200);
	const { items } = (await answer.json()) as { items: { kind: string; email: string; url: string }[] };
	const found = items.find((link) => link.kind === kind && link.email === email);
	expect(found, `a ${kind} link for ${email}`).toBeDefined();
	const url = new URL(found?.url ?? '', process.env.HEADWATER_URL);
	return url.pathname + url.search;
}

let people = 0;

/** A person: where no mail is sent, an account is good at once. */
export async function newPerson(name = 'Petra'): Promise<{ name: string; email: string; password: string }> {
	const email = `${name.toLowerCase()}-${process.pid}-${people++}@example.org`;
	const baseURL = process.env.HEADWATER_URL;
	const context = await request.newContext({ baseURL, extraHTTPHeaders: { origin: baseURL ?? '' } });
	const made = await context.post('/api/v1/auth/sign-up', { data: { email, name, password: PASSWORD } });
	expect(made.status(), await made.text()).toBe(202);
	await context.dispose();
	return { name, email, password: PASSWORD };
}

/** Signs in on the page, as a person does. */
export async function signIn(page: Page, { email, password }: { email: string; password: string }) {
	await page.goto('/login');
	await page.getByLabel('E-mail address').fill(email);
	await page.getByLabel('Password', { exact: true }).fill(password);
	await page.getByRole('button', { name: 'Sign in', exact: true }).click();
	await page.waitForURL((url) => url.pathname !== '/login');
}

/** Presses Tab until something has the focus; the keyboard alone must get there. */
export async function tabTo(page: Page, target: Locator, most = 60) {
	await expect(target).toBeVisible();
	for (let presses = 0; presses < most; presses++) {
		if (await target.evaluate((element) => element === document.activeElement).catch(() => false)) return;
		await page.keyboard.press('Tab');
	}
	expect(await page.evaluate(() => document.activeElement?.outerHTML), `Tab leads to ${target}`).toBe('');
}

/** Types into a field that Tab leads to. */
export async function typeInto(page: Page, target: Locator, text: string) {
	await tabTo(page, target);
	await page.keyboard.press('ControlOrMeta+a');
	await page.keyboard.type(text);
}

/** The code that an authenticator app shows for this key (RFC 6238: SHA-1, 30 s, six digits). */
export function totp(secret: string, at = Date.now()): string {
	const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()]
		.map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
		.join('');
	const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
	const digest = createHmac('sha1', key).update(counter).digest();
	const offset = (digest.at(-1) ?? 0) & 15;
	return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A page of another browser, signed in as nobody. */
export async function elsewhere(browser: Browser): Promise<Page> {
	return (await browser.newContext()).newPage();
}
