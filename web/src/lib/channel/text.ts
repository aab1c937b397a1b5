/** What people write about a channel, cut into words and links. */

export interface Piece {
	text: string;
	/** Only for what begins with `http://` or `https://`. */
	href?: string;
}

const URL_PATTERN = /https?:\/\/[^\s<>"]+/g;
/** Signs that belong to the sentence around a link rather than to the link. */
const TRAILING = /[.,;:!?)\]}'’”]+$/;

/** The pieces of a text: links stay links, everything else stays text. */
export function linked(text: string): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	for (const found of text.matchAll(URL_PATTERN)) {
		const href = found[0].replace(TRAILING, '');
		if (!URL.canParse(href)) continue;
		if (found.index > at) pieces.push({ text: text.slice(at, found.index) });
		pieces.push({ text: href, href });
		at = found.index + href.length;
	}
	if (at < text.length) pieces.push({ text: text.slice(at) });
	return pieces;
}
