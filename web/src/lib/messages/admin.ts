/** Texts of the pages where the server is looked after. */
export const admin = {
	nav: 'Server',
	links: {
		overview: 'Overview',
		users: 'People',
		invitations: 'Invitations',
		live: 'Live now',
		audit: 'Audit log',
		settings: 'Settings'
	},
	forbidden: 'This part is for those who run the server',
	forbiddenHint: 'Ask an owner of this server for the role of an administrator.',
	home: 'See what is live'
};
