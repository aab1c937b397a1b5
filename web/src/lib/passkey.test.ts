import { expect, test } from 'vitest';
import { fromBase64Url, toBase64Url, written } from './passkey';

const bytes = (...values: number[]) => new Uint8Array(values).buffer;

test('bytes go into base64url and back', () => {
	expect(toBase64Url(bytes(251, 255, 0, 1))).toBe('-_8AAQ');
	expect([...new Uint8Array(fromBase64Url('-_8AAQ'))]).toEqual([251, 255, 0, 1]);
});

test('an old browser’s credential is written as a new one writes it itself', () => {
	const credential = {
		id: 'AQI',
		rawId: bytes(1, 2),
		type: 'public-key',
		authenticatorAttachment: null,
		getClientExtensionResults: () => ({}),
		response: { clientDataJSON: bytes(3), authenticatorData: bytes(4), signature: bytes(5), userHandle: null }
	};
	expect(written(credential as unknown as PublicKeyCredential)).toMatchObject({
		id: 'AQI',
		rawId: 'AQI',
		response: { clientDataJSON: 'Aw', authenticatorData: 'BA', signature: 'BQ' }
	});
});
