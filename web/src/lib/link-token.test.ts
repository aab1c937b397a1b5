import { afterEach, expect, test, vi } from 'vitest';
import { pastedToken, takeToken } from './link-token';

afterEach(() => vi.unstubAllGlobals());

test('a token leaves the address when it is read', () => {
	const replaceState = vi.fn();
	vi.stubGlobal('history', { state: { here: 1 }, replaceState });
	expect(takeToken(new URL('http://a/reset?token=abc&x=1'))).toBe('abc');
	expect(replaceState).toHaveBeenCalledWith({ here: 1 }, '', '/reset?x=1');
	expect(takeToken(new URL('http://a/reset'))).toBeNull();
	expect(replaceState).toHaveBeenCalledOnce();
});

test.each([
	['http://a/setup?token=ab-c_1', 'ab-c_1'],
	['  ab-c_1 \n', 'ab-c_1'],
	['http://a/setup', null],
	['not a link', null]
])('pasted, %j is the token %j', (text, token) => expect(pastedToken(text)).toBe(token));
