/** Texts of the API reference. */
export const reference = {
	title: 'API reference',
	text: (version: string) =>
		`Everything this server’s pages do, your programs can do too. Version ${version}. Made from the server’s own description, which is here:`,
	search: 'Search',
	searchHint: 'Path, word or tag',
	none: 'Nothing matches',
	noneHint: 'Try another word.',
	clear: 'Show everything',
	contents: 'Contents',
	schemas: 'Schemas',
	parameters: 'Parameters',
	body: 'Body',
	answers: 'Answers',
	name: 'Name',
	where: 'In',
	type: 'Type',
	about: 'About',
	required: 'required',
	curl: 'With curl',
	example: 'Example',
	noBody: 'no body',
	link: 'Link to this',
	count: (n: number) => (n === 1 ? '1 operation' : `${n} operations`),
	auth: 'Signing in',
	authText:
		'Programs send a personal API token: “Authorization: Bearer TOKEN”. You make tokens in your account. Pages use the session cookie; requests that change something must then come from the server’s own pages.',
	tokens: 'Your tokens',
	lists: 'Lists',
	listsText:
		'A list answers {"items": […], "next_cursor": …}. Send “cursor” with that value to get the next page, and “limit” for its length.',
	problems: 'Problems',
	problemsText:
		'What goes wrong is answered as application/problem+json (RFC 9457) with a “code” that stays the same. Requests that make something may carry an “Idempotency-Key”.'
};
