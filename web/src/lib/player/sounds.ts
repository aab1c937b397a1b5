/** The sounds that a multivariant playlist lists, for whoever plays one of them without a picture. */
export interface ListedSound {
	name: string;
	/** BCP 47, `null` when not said. */
	language: string | null;
	/** Where its media playlist is. */
	address: string;
}

/** In the playlist's order, the one that is meant for everybody first. */
export function listedSounds(multivariant: string, base: URL): ListedSound[] {
	return multivariant
		.split('\n')
		.filter((line) => /^#EXT-X-MEDIA:(.*,)?TYPE=AUDIO(,|$)/.test(line))
		.map((line, place) => listed(line, place, base))
		.filter((sound) => sound !== null);
}

function listed(line: string, place: number, base: URL): ListedSound | null {
	const uri = quoted(line, 'URI');
	if (uri === undefined) return null;
	const language = quoted(line, 'LANGUAGE');
	return {
		name: quoted(line, 'NAME') ?? `Audio ${place + 1}`,
		language: language && language !== 'und' ? language : null,
		address: new URL(uri, base).href
	};
}

function quoted(line: string, attribute: string): string | undefined {
	return new RegExp(`[:,]${attribute}="([^"]*)"`).exec(line)?.[1];
}
