import { expect, test } from 'vitest';
import { confirmation } from './confirm.svelte';

test('requests that need it at once share one question', async () => {
	const [first, second] = [confirmation.ask(), confirmation.ask()];
	expect(confirmation.asked).toBe(true);
	confirmation.answer(true);
	expect(await Promise.all([first, second])).toEqual([true, true]);
	expect(confirmation.asked).toBe(false);

	const later = confirmation.ask();
	confirmation.answer(false);
	expect(await later).toBe(false);
});
