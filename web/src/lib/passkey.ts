/** Passkeys between the browser's objects and JSON. Browsers that cannot translate get our own base64url. */

type CreationJson = PublicKeyCredentialCreationOptionsJSON;
type RequestJson = PublicKeyCredentialRequestOptionsJSON;

/** Whether this page may use passkeys at all: browsers offer them to encrypted pages only. */
export function passkeysPossible(): boolean {
	return isSecureContext && typeof PublicKeyCredential === 'function';
}

/** Whether the browser can offer passkeys inside the mail field. */
export async function passkeysInFields(): Promise<boolean> {
	if (!passkeysPossible()) return false;
	return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
}

/** Makes a passkey; the answer is for the server. Throws what the browser throws when the person says no. */
export async function makePasskey(options: CreationJson): Promise<unknown> {
	const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON?.(options) ?? creation(options);
	const credential = await navigator.credentials.create({ publicKey });
	return json(credential as PublicKeyCredential);
}

/** Signs in with a passkey. `inFields`: offered by the browser in the mail field, until `signal` ends it. */
export async function usePasskey(
	options: RequestJson,
	{ inFields = false, signal }: { inFields?: boolean; signal?: AbortSignal } = {}
): Promise<unknown> {
	const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? request(options);
	const mediation = inFields ? 'conditional' : undefined;
	const credential = await navigator.credentials.get({ publicKey, mediation, signal });
	return json(credential as PublicKeyCredential);
}

/** Whether the person, or the page, ended the question: nothing to report. */
export function passkeyDeclined(thrown: unknown): boolean {
	return thrown instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(thrown.name);
}

export function fromBase64Url(text: string): ArrayBuffer {
	const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
	return Uint8Array.from(binary, (c) => c.charCodeAt(0)).buffer;
}

export function toBase64Url(bytes: ArrayBuffer): string {
	const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
	return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function creation(options: CreationJson): PublicKeyCredentialCreationOptions {
	return {
		...options,
		challenge: fromBase64Url(options.challenge),
		user: { ...options.user, id: fromBase64Url(options.user.id) },
		excludeCredentials: options.excludeCredentials?.map(descriptor)
	} as PublicKeyCredentialCreationOptions;
}

function request(options: RequestJson): PublicKeyCredentialRequestOptions {
	return {
		...options,
		challenge: fromBase64Url(options.challenge),
		allowCredentials: options.allowCredentials?.map(descriptor)
	} as PublicKeyCredentialRequestOptions;
}

function descriptor(from: PublicKeyCredentialDescriptorJSON): PublicKeyCredentialDescriptor {
	return { ...from, id: fromBase64Url(from.id) } as PublicKeyCredentialDescriptor;
}

function json(credential: PublicKeyCredential): unknown {
	return typeof credential.toJSON === 'function' ? credential.toJSON() : written(credential);
}

/** What `toJSON` writes, for browsers without it. */
export function written(credential: PublicKeyCredential): unknown {
	const response = credential.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
	const fields = [
		'clientDataJSON',
		'attestationObject',
		'authenticatorData',
		'signature',
		'userHandle'
	] as const;
	const bytes = fields.flatMap((name) => (response[name] ? [[name, toBase64Url(response[name])]] : []));
	return {
		id: credential.id,
		rawId: toBase64Url(credential.rawId),
		type: credential.type,
		authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
		clientExtensionResults: credential.getClientExtensionResults(),
		response: { ...Object.fromEntries(bytes), transports: response.getTransports?.() }
	};
}
