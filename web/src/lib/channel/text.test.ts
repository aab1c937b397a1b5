import { expect, test } from 'vitest';
import { linked } from './text';

test('a link in a sentence ends before the full stop', () => {
	expect(linked('See https://example.org/a?b=1. Then (http://x.test).')).toEqual([
		{ text: 'See ' },
		{ text: 'https://example.org/a?b=1', href: 'https://example.org/a?b=1' },
		{ text: '. Then (' },
		{ text: 'http://x.test', href: 'http://x.test' },
		{ text: ').' }
	]);
});

test('what only looks like a link stays text', () => {
	expect(linked('javascript:alert(1) and www.example.org')).toEqual([
		{ text: 'javascript:alert(1) and www.example.org' }
	]);
	expect(linked('https://')).toEqual([{ text: 'https://' }]);
	expect(linked('')).toEqual([]);
});
