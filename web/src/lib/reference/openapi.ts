/** An OpenAPI 3.1 document as its reference page needs it. */

export interface Schema {
	$ref?: string;
	type?: string | string[];
	format?: string;
	title?: string;
	description?: string;
	properties?: Record<string, Schema>;
	required?: string[];
	items?: Schema;
	oneOf?: Schema[];
	anyOf?: Schema[];
	allOf?: Schema[];
	enum?: unknown[];
	const?: unknown;
	default?: unknown;
	example?: unknown;
	examples?: unknown[];
	minimum?: number;
	maximum?: number;
	minLength?: number;
	maxLength?: number;
	maxItems?: number;
	additionalProperties?: boolean | Schema;
}

export interface Parameter {
	name: string;
	in: string;
	description?: string;
	required?: boolean;
	schema?: Schema;
}

type Content = Record<string, { schema?: Schema }>;

interface RawOperation {
	operationId?: string;
	summary?: string;
	description?: string;
	tags?: string[];
	parameters?: Parameter[];
	requestBody?: { description?: string; required?: boolean; content?: Content };
	responses?: Record<string, { description?: string; content?: Content }>;
}

export interface Document {
	info: { title: string; version: string; description?: string };
	tags?: { name: string; description?: string }[];
	paths: Record<string, Record<string, RawOperation | Parameter[] | undefined>>;
	components?: { schemas?: Record<string, Schema> };
}

/** What is sent or answered: its media type and shape. */
export interface Payload {
	type: string;
	schema: Schema;
}

export interface Operation {
	/** Good as the anchor of a link. */
	id: string;
	method: string;
	path: string;
	summary: string;
	description: string;
	tag: string;
	parameters: Parameter[];
	body: Payload | null;
	bodyText: string;
	answers: { status: string; text: string; payload: Payload | null }[];
}

export interface Group {
	tag: string;
	description: string;
	operations: Operation[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Every operation, by tag and in the order of the document. */
export function groups(document: Document): Group[] {
	const described = new Map((document.tags ?? []).map(({ name, description }) => [name, description ?? '']));
	const found = new Map<string, Group>();
	for (const operation of operations(document)) {
		const { tag } = operation;
		const group = found.get(tag) ?? { tag, description: described.get(tag) ?? '', operations: [] };
		group.operations.push(operation);
		found.set(tag, group);
	}
	return [...found.values()];
}

function operations(document: Document): Operation[] {
	return Object.entries(document.paths).flatMap(([path, item]) =>
		METHODS.filter((method) => item[method]).map((method) => {
			const raw = item[method] as RawOperation;
			const shared = (item.parameters ?? []) as Parameter[];
			return {
				id: anchor(method, path),
				method: method.toUpperCase(),
				path,
				summary: raw.summary ?? '',
				description: raw.description ?? '',
				tag: raw.tags?.[0] ?? 'other',
				parameters: [...shared, ...(raw.parameters ?? [])],
				body: payload(raw.requestBody?.content),
				bodyText: raw.requestBody?.description ?? '',
				answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => ({
					status,
					text: answer.description ?? '',
					payload: payload(answer.content)
				}))
			};
		})
	);
}

function anchor(method: string, path: string): string {
	return `${method}${path.replace(/^\/api\/v1/, '')}`.replace(/[^a-z0-9]+/gi, '-').replace(/-$/, '');
}

function payload(content: Content | undefined): Payload | null {
	const first = Object.entries(content ?? {})[0];
	return first ? { type: first[0], schema: first[1].schema ?? {} } : null;
}

/** Whether every word stands somewhere in an operation. */
export function matches(operation: Operation, words: string): boolean {
	const { method, path, summary, description, tag } = operation;
	const all = `${method} ${path} ${summary} ${description} ${tag}`.toLowerCase();
	return words
		.toLowerCase()
		.split(/\s+/)
		.every((word) => all.includes(word));
}

/** A type in words; `name` where it is one of the document's schemas. */
export interface Word {
	text: string;
	name?: string;
}

export function words(schema: Schema | undefined): Word[] {
	if (!schema) return [{ text: 'anything' }];
	if (schema.$ref) {
		const name = refName(schema.$ref);
		return [{ text: name, name }];
	}
	const options = schema.oneOf ?? schema.anyOf;
	if (options) return between(options.map(words), ' or ');
	if (schema.allOf) return between(schema.allOf.map(words), ' and ');
	if (schema.const !== undefined) return [{ text: JSON.stringify(schema.const) }];
	if (schema.enum) return [{ text: schema.enum.map((value) => JSON.stringify(value)).join(' or ') }];
	const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'anything'];
	return between(
		types.map((type) =>
			type === 'array' && schema.items ? [{ text: 'list of ' }, ...words(schema.items)] : [{ text: type }]
		),
		' or '
	);
}

function between(all: Word[][], sign: string): Word[] {
	return all.flatMap((one, at) => (at === 0 ? one : [{ text: sign }, ...one]));
}

export function refName(ref: string): string {
	return ref.slice(ref.lastIndexOf('/') + 1);
}

/** What a value must keep to besides its type. */
export function limits(schema: Schema | undefined): string {
	if (!schema) return '';
	const { minimum, maximum, minLength, maxLength, maxItems, format, default: value } = schema;
	return [
		format,
		range(minimum, maximum, ''),
		range(minLength, maxLength, ' characters'),
		range(undefined, maxItems, ' items'),
		value === undefined ? '' : `default ${JSON.stringify(value)}`
	]
		.filter(Boolean)
		.join(', ');
}

function range(min: number | undefined, max: number | undefined, unit: string): string {
	if (min === undefined && max === undefined) return '';
	if (min === undefined || max === undefined)
		return min === undefined ? `at most ${max}${unit}` : `at least ${min}${unit}`;
	return `${min} to ${max}${unit}`;
}

const DEEP = 5;

/** A value of a schema's shape, for people to begin from. */
export function example(document: Document, schema: Schema | undefined, depth = 0): unknown {
	if (!schema || depth > DEEP) return null;
	const given = schema.example ?? schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
	if (given !== undefined) return given;
	if (schema.$ref) return example(document, document.components?.schemas?.[refName(schema.$ref)], depth + 1);
	const options = schema.oneOf ?? schema.anyOf;
	if (options) return example(document, options.find(({ type }) => type !== 'null') ?? options[0], depth + 1);
	if (schema.allOf) {
		return Object.assign({}, ...schema.allOf.map((part) => example(document, part, depth + 1)));
	}
	const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
	switch (type) {
		case 'object':
			return Object.fromEntries(
				Object.entries(schema.properties ?? {}).map(([name, of]) => [name, example(document, of, depth + 1)])
			);
		case 'array':
			return schema.items ? [example(document, schema.items, depth + 1)] : [];
		case 'integer':
		case 'number':
			return schema.minimum ?? 0;
		case 'boolean':
			return false;
		case 'string':
			return schema.format === 'date-time' ? '2026-11-21T12:00:00.000Z' : 'text';
		default:
			return null;
	}
}

/** A command that asks for an operation at this server. */
export function curl(document: Document, operation: Operation, origin: string): string {
	const parts = [`curl -X ${operation.method} '${origin}${operation.path}'`];
	parts.push("-H 'Authorization: Bearer TOKEN'");
	if (operation.body) {
		const { type, schema } = operation.body;
		parts.push(`-H 'Content-Type: ${type}'`);
		if (type === 'application/json') parts.push(`-d '${quoted(JSON.stringify(example(document, schema)))}'`);
		else parts.push('--data-binary @FILE');
	}
	return parts.join(' \\\n  ');
}

/** A text inside single quotes of a shell. */
function quoted(text: string): string {
	return text.replaceAll("'", `'\\''`);
}
