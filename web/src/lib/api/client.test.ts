import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { address, api, hooks } from './client';
import { ApiError, asProblem } from './problem';

const asked: { url: string; init: RequestInit }[] = [];
let answers: (() => Response)[] = [];

function answer(status: number, body?: unknown, headers: Record<string, string> = {}) {
	return () => new Response(body === undefined ? null : JSON.stringify(body), { status, headers });
}

beforeEach(() => {
	asked.length = 0;
	answers = [];
	vi.useFakeTimers();
	vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
		asked.push({ url, init });
		const next = answers.shift();
		if (!next) throw new TypeError('network');
		return next();
	});
});

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
	hooks.confirm = async () => false;
	hooks.signedOut = () => {};
});

test('values that are not there stay out of the address', () => {
	expect(address('/channels', { mine: 1, q: '', cursor: null, tag: 'a b' })).toBe(
		'/api/v1/channels?mine=1&tag=a+b'
	);
	expect(address('/me')).toBe('/api/v1/me');
});

test('a question waits for a server that is away, and hears the answer', async () => {
	answers = [answer(503, {}, { 'retry-after': '2' }), answer(200, { name: 'x' })];
	const reply = api.get<{ name: string }>('/server');
	await vi.advanceTimersByTimeAsync(1900);
	expect(asked).toHaveLength(1);
	await vi.advanceTimersByTimeAsync(200);
	expect(await reply).toEqual({ name: 'x' });
});

test('a change is not sent twice, a creation is, under one key', async () => {
	answers = [answer(503, { code: 'unavailable' })];
	await expect(api.patch('/me', { name: 'a' })).rejects.toMatchObject({ code: 'unavailable' });
	expect(asked).toHaveLength(1);

	answers = [answer(503), answer(201, { id: 'ch1' })];
	const made = api.create('/channels', { handle: 'a' });
	await vi.advanceTimersByTimeAsync(1100);
	expect(await made).toEqual({ id: 'ch1' });
	const keys = asked.slice(1).map(({ init }) => (init.headers as Record<string, string>)['idempotency-key']);
	expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
	expect(keys[0]).toBe(keys[1]);
});

test('whoever confirms who they are gets what they asked for', async () => {
	answers = [answer(403, { code: 'fresh_sign_in_required', title: 'Confirm' }), answer(200, { secret: 's' })];
	hooks.confirm = vi.fn(async () => true);
	expect(await api.post('/streams/st1/keys/ke1/reveal')).toEqual({ secret: 's' });
	expect(hooks.confirm).toHaveBeenCalledOnce();
	expect(asked).toHaveLength(2);
});

test('whoever does not confirm hears that it is needed', async () => {
	answers = [answer(403, { code: 'fresh_sign_in_required', title: 'Confirm' })];
	await expect(api.del('/me/totp')).rejects.toMatchObject({ code: 'fresh_sign_in_required' });
	expect(asked).toHaveLength(1);
});

test('an ended session leads to the sign-in page, a wrong password does not', async () => {
	hooks.signedOut = vi.fn();
	answers = [answer(401, { code: 'unauthenticated' }), answer(401, { code: 'unauthenticated' })];
	await expect(api.post('/auth/sign-in', {}, { anonymous: true })).rejects.toBeInstanceOf(ApiError);
	expect(hooks.signedOut).not.toHaveBeenCalled();
	await expect(api.get('/me/tokens')).rejects.toBeInstanceOf(ApiError);
	expect(hooks.signedOut).toHaveBeenCalledOnce();
});

test('a problem names its fields, and anything thrown becomes one', async () => {
	answers = [
		answer(422, { code: 'invalid', title: 'Not valid', errors: [{ pointer: '/email', detail: 'is taken' }] })
	];
	const problem = await api.post('/x').then(() => null, asProblem);
	expect(problem?.at('/email')).toBe('is taken');
	expect(problem?.at('/name')).toBeUndefined();
	expect((await api.get('/x').then(() => null, asProblem))?.code).toBe('unreachable');
	expect(asProblem(new Error('odd')).detail).toBe('odd');
	answers = [() => new Response('<html>', { status: 502 })];
	expect((await api.get('/x').then(() => null, asProblem))?.code).toBe('internal');
});
