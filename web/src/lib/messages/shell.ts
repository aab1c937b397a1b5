/** Texts of the frame around every page, and of the parts that pages are made of. */
export const shell = {
	nav: 'Main',
	browse: 'Browse',
	goLive: 'Go live',
	studio: 'Studio',
	signIn: 'Sign in',
	signUp: 'Sign up',
	menu: 'Menu',
	account: (name: string) => `Account of ${name}`,
	me: 'Profile',
	security: 'Security',
	tokens: 'API tokens',
	admin: 'Server',
	signOut: 'Sign out',
	signedOut: 'You are signed out.',
	notices: 'Notices',
	plainHttp: 'This page is not encrypted: others on the network can read what you type. Passkeys need HTTPS.',
	dismiss: 'Hide this',
	setUpFirst: 'This server is not set up yet.',
	setUpHint:
		'Open the setup link that it printed when it started. To print it again, run this where it runs:',
	unreachable: 'The server does not answer.',
	unreachableHint: 'We keep trying. If this stays, check that the server is running.',
	factorRequired: 'Your role asks for a second factor.',
	factorRequiredLink: 'Add a passkey or an authenticator app'
};

export const kit = {
	close: 'Close',
	cancel: 'Cancel',
	optional: '(optional)',
	show: 'Show password',
	hide: 'Hide password',
	more: 'Load more',
	loading: 'Loading…',
	retry: 'Try again',
	never: 'never',
	secretReveal: (label: string) => `Show ${label}`,
	secretHide: (label: string) => `Hide ${label}`,
	secretShown: (seconds: number) => `hidden again in ${seconds} s`,
	copied: 'Copied',
	download: 'Download',
	strength: ['', 'Too short', 'Easy to guess', 'Fair', 'Good', 'Strong'],
	tryAgainIn: (seconds: number) => `You can try again in ${seconds} s.`
};

export const confirm = {
	title: 'Confirm that it is you',
	text: 'Keys, mail addresses, roles and tokens can be changed only shortly after a sign-in.',
	password: 'Password',
	code: 'Code from your authenticator app',
	passkey: 'Use a passkey',
	or: 'or',
	provider: (name: string) => `Sign in again with ${name}`,
	providerHint: 'This leaves the page; come back and repeat what you wanted to do.',
	send: 'Confirm',
	nothing: 'Sign out and in again to go on.'
};
