import { expect, test } from 'vitest';
import { actionWords, detailRows } from './audit';

test('an action reads as words', () => {
	expect(actionWords('key_reveal')).toBe('Key reveal');
	expect(actionWords('user.suspend')).toBe('User suspend');
});

test('details are names and values, without what is empty', () => {
	expect(
		detailRows({ reason: 'spam', old_role: null, roles: ['admin', 'owner'], count: 0, more: { a: 1 }, x: '' })
	).toEqual([
		['reason', 'spam'],
		['roles', 'admin, owner'],
		['count', '0'],
		['more', '{"a":1}']
	]);
	expect(detailRows(null)).toEqual([]);
});
