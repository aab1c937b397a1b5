import { api, type Me, type PasskeyChallenge, type SignInAnswer } from './api';
import { usePasskey } from './passkey';

/** Signs in with a passkey; `inFields` waits until the person picks one in the mail field. */
export async function passkeySignIn(options: { inFields?: boolean; signal?: AbortSignal } = {}): Promise<Me> {
	const start = await api.post<PasskeyChallenge<PublicKeyCredentialRequestOptionsJSON>>(
		'/auth/passkey/start',
		{},
		{ anonymous: true, signal: options.signal }
	);
	const credential = await usePasskey(start.options, options);
	const answer = await api.post<Extract<SignInAnswer, { state: 'signed_in' }>>(
		'/auth/passkey/finish',
		{ challenge: start.challenge, credential },
		{ anonymous: true }
	);
	return answer.user;
}
