import { redirect } from '@sveltejs/kit';
import { safeNext } from '$lib/next';
import { session } from '$lib/session.svelte';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ url }) => {
	await session.ready();
	const next = safeNext(url.searchParams.get('next'));
	const problem = url.searchParams.get('problem');
	if (session.me) redirect(307, problem ? `/me/security?problem=${encodeURIComponent(problem)}` : next);
	return { next, problem };
};
