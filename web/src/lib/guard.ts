/** Pages for those who are signed in: others are led to the sign-in page and back. */
import { redirect } from '@sveltejs/kit';
import { signInPath } from './next';
import { session } from './session.svelte';

/** For `load`: waits for the session, and leads away who has none. */
export async function signedIn(url: URL): Promise<void> {
	await session.ready();
	if (!session.me) redirect(307, signInPath(url));
}
