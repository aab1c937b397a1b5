import { expect, test } from 'vitest';
import { ApiError } from './api';
import { Form } from './form.svelte';

const refused = new ApiError(422, 'invalid', 'Not valid', null, [
	{ pointer: '/name', detail: 'is empty' },
	{ pointer: '/odd', detail: 'is odd' }
]);

test('what a field shows is not said twice', async () => {
	const form = new Form();
	expect(form.error('/name')).toBeUndefined();
	expect(await form.run(() => Promise.reject(refused))).toBe(false);
	expect(form.error('/name')).toBe('is empty');
	expect(form.problem?.errors.map(({ pointer }) => pointer)).toEqual(['/odd']);
	expect(form.errors).toHaveLength(2);
});

test('while one thing is sent another does not begin, and success clears the problem', async () => {
	const form = new Form();
	form.problem = refused;
	let finish = () => {};
	const first = form.run(() => new Promise<void>((resolve) => (finish = resolve)));
	expect(form.busy).toBe(true);
	expect(await form.run(() => Promise.reject(refused))).toBe(false);
	finish();
	expect(await first).toBe(true);
	expect([form.busy, form.problem]).toEqual([false, null]);
});
