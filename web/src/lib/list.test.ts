import { afterEach, expect, test, vi } from 'vitest';
import { List } from './list.svelte';

afterEach(() => vi.unstubAllGlobals());

test('pages follow each other, and a new filter begins anew', async () => {
	const urls: string[] = [];
	const pages = [
		{ items: [1, 2], next_cursor: 'c' },
		{ items: [3], next_cursor: null },
		{ items: [9], next_cursor: null }
	];
	vi.stubGlobal('fetch', async (url: string) => {
		urls.push(url);
		return Response.json(pages.shift());
	});
	const list = new List<number>('/n');
	await list.load({ q: 'a' });
	await list.more();
	expect(list.items).toEqual([1, 2, 3]);
	expect(list.cursor).toBeNull();
	await list.load({ q: 'b' });
	expect(list.items).toEqual([9]);
	expect(urls).toEqual(['/api/v1/n?q=a', '/api/v1/n?q=a&cursor=c', '/api/v1/n?q=b']);
});

test('a late answer to an earlier question does not replace a newer one', async () => {
	const answers: ((response: Response) => void)[] = [];
	vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => answers.push(resolve)));
	const list = new List<string>('/n');
	const [slow, quick] = [list.load({ q: 'slow' }), list.load({ q: 'quick' })];
	answers[1]?.(Response.json({ items: ['quick'], next_cursor: null }));
	await quick;
	answers[0]?.(Response.json({ items: ['slow'], next_cursor: null }));
	await slow;
	expect(list.items).toEqual(['quick']);
	expect(list.busy).toBe(false);
});
