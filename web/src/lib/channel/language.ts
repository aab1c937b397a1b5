/** The languages a channel may say it speaks, as BCP 47 tags. */
const TAGS =
	'ar bg bn ca cs da de el en es et eu fa fi fr ga gl he hi hr hu id is it ja ko lt lv mk ms nb nl pl pt ro ru sk sl sq sr sv sw ta th tr uk ur vi zh'.split(
		' '
	);

/** The English name of a language, or the tag itself where there is none. */
export function languageName(tag: string): string {
	try {
		return new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag;
	} catch {
		return tag;
	}
}

/** All of them by name; `current` is there too, even if it is none of ours. */
export function languages(current = ''): { value: string; label: string }[] {
	const tags = current && !TAGS.includes(current) ? [...TAGS, current] : TAGS;
	return tags
		.map((value) => ({ value, label: languageName(value) }))
		.sort((a, b) => a.label.localeCompare(b.label));
}
