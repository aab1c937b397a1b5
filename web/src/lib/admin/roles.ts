/** Roles that hold on the whole server. */
import type { Role, RoleName } from '$lib/api';

/** Those that an owner gives and takes here, the greatest first. */
export const SERVER_ROLES = ['owner', 'admin', 'moderator'] as const;

/** What somebody is on the whole server, the greatest first. */
export function serverRoles(roles: readonly Role[]): RoleName[] {
	const order = [...SERVER_ROLES, 'creator', 'viewer'] as string[];
	return roles
		.filter(({ scope }) => scope === 'server')
		.map(({ role }) => role)
		.sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
