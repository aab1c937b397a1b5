/** A rough word for how hard a password is to guess. The server decides what it takes. */

export const PASSWORD_MIN = 10;

const COMMON = /^(password|passwort|qwert|asdf|letmein|welcome|admin|iloveyou|headwater|12345|abc123)/i;

/** 0 for none, then 1 (too short) to 5 (strong): an index into the words of `kit.strength`. */
export function strength(password: string): number {
	if (!password) return 0;
	if (password.length < PASSWORD_MIN) return 1;
	const different = new Set(password.toLowerCase()).size;
	if (COMMON.test(password) || different < 6) return 2;
	const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(password)).length;
	const bits = password.length * (1 + kinds * 0.5) * Math.min(1, different / 10);
	if (bits < 24) return 3;
	return bits < 36 ? 4 : 5;
}
