import { afterEach, expect, test, vi } from 'vitest';
import { pastedToken, takeStep, takeToken } from './link-token';

afterEach(() => vi.unstubAllGlobals());

test('a token leaves the address when it is read', () => {
	const replaceState = vi.fn();
	vi.stubGlobal('history', { state: { here: 1 }, replaceState });
	expect(takeToken(new URL('http://a/reset?token=abc&x=1'))).toBe('abc');
	expect(replaceState).toHaveBeenCalledWith({ here: 1 }, '', '/reset?x=1');
	expect(takeToken(new URL('http://a/reset'))).toBeNull();
	expect(replaceState).toHaveBeenCalledOnce();
});

test('the second step after another service comes in the fragment, and leaves it', () => {
	const replaceState = vi.fn();
	vi.stubGlobal('history', { state: null, replaceState });
	const url = new URL('http://a/login?next=%2Fme#challenge=abc&methods=totp,odd,recovery');
	expect(takeStep(url)).toEqual({ state: 'factor', challenge: 'abc', methods: ['totp', 'recovery'] });
	expect(replaceState).toHaveBeenCalledWith(null, '', '/login?next=%2Fme');
	expect(takeStep(new URL('http://a/login'))).toBeNull();
});

test.each([
	['http://a/setup?token=ab-c_1', 'ab-c_1'],
	['  ab-c_1 \n', 'ab-c_1'],
	['http://a/setup', null],
	['not a link', null]
])('pasted, %j is the token %j', (text, token) => expect(pastedToken(text)).toBe(token));
