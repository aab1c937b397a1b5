import type { PageLoad } from './$types';

export const load: PageLoad = ({ params }) => {
	// The player's engine is fetched beside the page, not after it.
	void import('$lib/player/engines/hls');
	return { name: params.name };
};
