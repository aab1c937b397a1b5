import { expect, test } from 'vitest';
import { parse } from './memory';

const now = 1_700_000_000_000;

test.each([
	['of an hour ago counts', `5000000@${now - 3600_000}`, 5e6],
	['of last week is forgotten', `5000000@${now - 7 * 86_400_000}`, null],
	['that is none is none', 'NaN@yesterday', null],
	['that is nothing is none', `0@${now}`, null]
])('a link %s', (_, stored, expected) => expect(parse(stored, now)).toBe(expected));
