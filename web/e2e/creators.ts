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

/** Whether everybody may stream, or whoever asked and is allowed to. */
export async function whoMayStream(creators: 'all' | 'request') {
	await json(await (await asOwner()).patch('/api/v1/admin/settings', { data: { creators } }));
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

const RUNGS = [
	{ name: '240p', size: 240, frame_rate_max: 30, bitrate: 350_000, codec: 'avc' },
	{ name: '144p', size: 144, frame_rate_max: 30, bitrate: 150_000, codec: 'avc' }
];

/** A channel of somebody new whose stream is made in two further qualities. */
export async function newLadder(): Promise<Made> {
	const creator = await newCreator('Lad');
	const channel = await newChannel(creator, 'Harbour ladder');
	const path = `/api/v1/streams/${channel.stream}`;
	const { settings } = await json<{ settings: object }>(await creator.api.get(path));
	const ladder = { mode: 'rungs', rungs: RUNGS };
	await json(await creator.api.patch(path, { data: { settings: { ...settings, ladder } } }));
	return channel;
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

/** The page has said what it has to say. Pages that listen to the server are never idle on the network. */
export async function settled(page: Page) {
	await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
	await expect(page.getByText('Loading…')).toHaveCount(0);
}
