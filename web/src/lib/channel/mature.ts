/** Whether a viewer has said to be an adult, for one channel and until the browser is closed. */

const key = (channel: string) => `headwater.mature.${channel}`;

export function confirmedAdult(channel: string): boolean {
	try {
		return sessionStorage.getItem(key(channel)) !== null;
	} catch {
		return false;
	}
}

export function confirmAdult(channel: string): void {
	try {
		sessionStorage.setItem(key(channel), '1');
	} catch {
		// A browser that keeps nothing asks again on the next page.
	}
}
