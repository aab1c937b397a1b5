import { expect, test } from 'vitest';
import { serverRoles } from './roles';

test('only roles of the whole server count, the greatest first', () => {
	expect(
		serverRoles([
			{ role: 'moderator', scope: 'server', scope_id: 'server' },
			{ role: 'owner', scope: 'channel', scope_id: 'ch1' },
			{ role: 'admin', scope: 'server', scope_id: 'server' }
		])
	).toEqual(['admin', 'moderator']);
});
