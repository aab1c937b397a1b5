/** Texts of the studio: where a creator makes channels, goes live and looks after streams. */
export const studio = {
	nav: 'Studio',
	links: {
		overview: 'Overview',
		setup: 'Go live',
		streams: 'Streams',
		channel: 'Channels'
	},
	title: 'Studio'
};
