import { redirect } from '@sveltejs/kit';
import { session } from '$lib/session.svelte';
import type { PageLoad } from './$types';

export const load: PageLoad = async () => {
	await session.ready();
	if (session.me) redirect(307, '/');
};
