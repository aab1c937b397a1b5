import { goto } from '$app/navigation';
import { api } from './api';
import { shell } from './messages/shell';
import { session } from './session.svelte';
import { toasts } from './toasts.svelte';

/** Ends the session, here and on the server. */
export async function signOut(): Promise<void> {
	await api.post('/auth/sign-out', {}, { anonymous: true }).catch(() => {});
	await goto('/');
	session.signedOut();
	toasts.good(shell.signedOut);
}
