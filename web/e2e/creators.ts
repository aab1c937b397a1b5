/** Creators in the tests, with channels and keys: made by the API where making them is not what is tested. */
import { type APIRequestContext, expect, type Page } from '@playwright/test';
import { as, asOwner, newPerson } from './people';

export interface Creator {
	name: string;
	email: string;
	password: string;
	id: string;
	/** Asks as this person. */
	api: APIRequestContext;
}

export interface Made {
	id: string;
	handle: string;
	title: string;
	stream: string;
	/** The primary stream key. */
	key: string;
}

async function json<T>(answer: Awaited<ReturnType<APIRequestContext['get']>>, status = 200): Promise<T> {
	expect(answer.status(), await answer.text()).toBe(status);
	return (await answer.json()) as T;
}

/** A person with an account who may not stream yet. */
export async function newMember(name = 'Mara'): Promise<Creator> {
	const person = await newPerson(name);
	const api = await as(person.email, person.password);
	const { id } = await json<{ id: string }>(await api.get('/api/v1/me'));
	return { ...person, id, api };
}

/** A person who may stream. */
export async function newCreator(name = 'Kian'): Promise<Creator> {
	const person = await newMember(name);
	const owner = await asOwner();
	await json(await owner.patch(`/api/v1/admin/users/${person.id}`, { data: { creator: true } }));
	return person;
}

let channels = 0;

/** A channel of a creator, with its stream and key. */
export async function newChannel(creator: Creator, title = 'Harbour cam', change = {}): Promise<Made> {
	const handle = `cam-${process.pid}-${channels++}`;
	const made = await json<{ id: string; stream_id: string }>(
		await creator.api.post('/api/v1/channels', { data: { handle, title } }),
		201
	);
	if (Object.keys(change).length > 0) {
		await json(await creator.api.patch(`/api/v1/channels/${made.id}`, { data: change }));
	}
	return { id: made.id, handle, title, stream: made.stream_id, key: await keyOf(creator, made.stream_id) };
}

/** The primary key of a stream. */
export async function keyOf(creator: Creator, stream: string): Promise<string> {
	const path = `/api/v1/streams/${stream}/keys`;
	const { items } = await json<{ items: { id: string; primary: boolean }[] }>(await creator.api.get(path));
	const primary = items.find((key) => key.primary);
	return (
		await json<{ secret: string }>(await creator.api.post(`${path}/${primary?.id}/reveal`, { data: {} }))
	).secret;
}

/** Lets a page act as a person without the sign-in page: attempts to sign in are counted. */
export async function enter(page: Page, api: APIRequestContext) {
	await page.context().addCookies((await api.storageState()).cookies);
}

/** Presses Tab back until something has the focus. */
export async function backTo(page: Page, target: ReturnType<Page['locator']>, most = 60) {
	await expect(target).toBeVisible();
	for (let presses = 0; presses < most; presses++) {
		if (await target.evaluate((element) => element === document.activeElement)) return;
		await page.keyboard.press('Shift+Tab');
	}
	expect(await target.evaluate((element) => element === document.activeElement)).toBe(true);
}
