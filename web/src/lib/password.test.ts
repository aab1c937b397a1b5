import { expect, test } from 'vitest';
import { strength } from './password';

test.each([
	['', 0],
	['short', 1],
	['password12345', 2],
	['aaaaaaaaaaaaaaa', 2],
	['hgfklmnbvc', 3],
	['correct horse bat', 4],
	['correct horse battery Staple 9', 5]
])('“%s” is of strength %d', (password, word) => expect(strength(password)).toBe(word));
