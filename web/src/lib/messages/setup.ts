/** Texts of the first-run wizard. */
export const setup = {
	title: 'Set up this server',
	steps: { owner: 'You', server: 'Server', mail: 'Mail', people: 'People', done: 'Done' },
	step: (at: number, of: number) => `Step ${at} of ${of}`,
	next: 'Next',
	back: 'Back',
	finish: 'Finish setup',
	token: {
		title: 'Open the setup link',
		text: 'The server printed a link when it started; only who can see its console may set it up. To print it again, run this where it runs:',
		label: 'Setup link, or the code at its end',
		submit: 'Go on',
		wrong: 'This link is not the newest one. Print it again and use that one.',
		done: 'This server is set up already',
		doneText: 'Sign in to change its settings.'
	},
	owner: {
		title: 'Your account',
		text: 'You will own this server: its settings, its people, its streams.'
	},
	server: {
		title: 'Name and address',
		name: 'Name of the server',
		nameHint: 'Shown on every page and in mail.',
		organisation: 'Organisation',
		organisationHint: 'Who runs it: you, a club, a company. The same as the name is fine.',
		url: 'Public address',
		urlHint:
			'What people type, such as https://live.example.org. Links in mail begin with it. Leave it empty on a home network.',
		urlFixed: 'The configuration sets the address; it cannot be changed here.',
		httpsTitle: 'HTTPS',
		httpsFiles: 'Certificates come from files. Nothing to do here.',
		httpsAcme: (names: string) => `Certificates are got and renewed by themselves for ${names}.`,
		httpsOff:
			'This server listens for plain HTTP only. On the open internet, passwords need HTTPS: set https.listen in the configuration and restart, or put a proxy in front.',
		acme: 'Get a certificate by itself',
		acmeHint: 'From a public authority (ACME). The names must lead to this machine, on ports 80 and 443.',
		acmeNames: 'Domain names',
		acmeNamesHint: 'Separated by spaces.',
		acmeContact: 'Contact for the authority',
		acmeContactHint: 'They write there if something is wrong with the certificate.'
	},
	mail: {
		title: 'Mail',
		text: 'For confirming addresses and for lost passwords.',
		configured: 'The configuration sets up mail. Send yourself a test, if you like.',
		mode: 'How does this server send mail?',
		smtp: 'Through a mail server (SMTP)',
		smtpHint: 'Your provider tells you these four or five things.',
		none: 'Not at all, for now',
		noneHint: 'Links appear on your admin pages instead, and you hand them on.',
		host: 'Mail server',
		port: 'Port',
		security: 'Encryption',
		securities: { tls: 'TLS (usually port 465)', starttls: 'STARTTLS (usually port 587)', none: 'none' },
		username: 'User name',
		password: 'Password',
		from: 'From',
		fromHint: 'Such as Live <live@example.org>.',
		test: 'Send a test mail',
		testTo: (email: string) => `It goes to ${email}.`,
		sent: (email: string) => `Accepted by the mail server. Look whether it arrives at ${email}.`
	},
	people: {
		title: 'Who may come in',
		signUp: 'Who may sign up?',
		signUps: {
			open: ['Everybody', 'With a mail address that they confirm.'],
			invite: ['Those who are invited', 'You send them a link.'],
			closed: ['Nobody', 'You make accounts on the command line.']
		} as Record<string, [string, string]>,
		creators: 'Who may stream?',
		creatorsAll: ['Everybody with an account', 'They get a channel and a key at once.'] as [string, string],
		creatorsRequest: ['Those who ask and are granted it', 'You find the requests among the people.'] as [
			string,
			string
		],
		creatorsInvite: ['Those you choose', 'Nobody can ask.'] as [string, string]
	},
	done: {
		title: (name: string) => `${name} is ready`,
		text: 'Make your channel and try a broadcast; it takes a minute.',
		https: (url: string) => `From now on, use ${url}`,
		httpsHint: 'The certificate is on its way; it takes a minute or so.',
		handle: 'Address of your channel',
		handleHint: 'Small letters, digits, - and _.',
		channelTitle: 'Title of your channel',
		create: 'Make the channel',
		later: 'Later: go to the start page',
		liveTitle: 'Try a broadcast',
		liveText: 'In OBS: Settings › Stream › Service “Custom”, then these two. Or run the ffmpeg line.',
		server: 'Server',
		key: 'Stream key',
		ffmpeg: 'ffmpeg test picture',
		noIngest: 'RTMP is turned off in the configuration, so nothing can be published by it.',
		channel: 'Open your channel',
		studio: 'Open the studio'
	}
};
