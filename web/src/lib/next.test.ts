import { expect, test } from 'vitest';
import { landing, safeNext, signInPath } from './next';

test.each([
	['/studio/streams?x=1#a', '/studio/streams?x=1#a'],
	['/../me', '/me'],
	['//evil.example', '/'],
	['/\\evil.example', '/'],
	['/\t/evil.example', '/'],
	['https://evil.example/', '/'],
	['javascript:alert(1)', '/'],
	['/.//evil.example', '/'],
	['', '/'],
	[null, '/']
])('after signing in, %s leads to %s', (next, path) => expect(safeNext(next)).toBe(path));

test('the way to the sign-in page remembers where one came from', () => {
	expect(signInPath({ pathname: '/me', search: '?a=b' })).toBe('/login?next=%2Fme%3Fa%3Db');
	expect(signInPath({ pathname: '/', search: '' })).toBe('/login');
});

test('whoever must have a second factor makes it first', () => {
	expect(landing({ factor_required: false }, '/studio')).toBe('/studio');
	expect(landing({ factor_required: true }, '/studio')).toBe('/me/security');
});
