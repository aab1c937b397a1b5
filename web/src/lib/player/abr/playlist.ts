/** Whether a media playlist ends with media: not empty, and not with a gap where a quality has stopped being made. */
export function hasMedia(text: string): boolean {
	let gap = false;
	let last = false;
	for (const line of text.split('\n')) {
		if (line.startsWith('#EXT-X-GAP')) gap = true;
		else if (line.startsWith('#EXT-X-PART:')) last = !/[:,]GAP=YES/.test(line);
		else if (line.trim() !== '' && !line.startsWith('#')) {
			last = !gap;
			gap = false;
		}
	}
	return last;
}
