import { expect, test } from 'vitest';
import { curl, example, groups, limits, matches, words, type Document, type Operation } from './openapi';

const document: Document = {
	info: { title: 'Headwater', version: '1' },
	tags: [{ name: 'channels', description: 'Pages of creators' }],
	paths: {
		'/api/v1/channels': {
			get: { tags: ['channels'], summary: 'List channels', responses: { '200': { description: 'a page' } } },
			post: {
				tags: ['channels'],
				summary: 'Make a channel',
				requestBody: {
					content: { 'application/json': { schema: { $ref: '#/components/schemas/NewChannel' } } }
				},
				responses: {
					'201': { content: { 'application/json': { schema: { $ref: '#/components/schemas/NewChannel' } } } },
					'422': {}
				}
			}
		},
		'/api/v1/channels/{id}/avatar': {
			parameters: [{ name: 'id', in: 'path', required: true }],
			put: { requestBody: { content: { 'image/png': {} } } }
		}
	},
	components: {
		schemas: {
			NewChannel: {
				type: 'object',
				properties: {
					title: { type: 'string', maxLength: 140, example: "Ada's" },
					tags: { type: 'array', items: { type: 'string' } },
					parent: { oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/NewChannel' }] }
				}
			}
		}
	}
};

const [channels, other] = groups(document);
const [list, make] = channels?.operations as [Operation, Operation];

test('operations stand by their tags, with anchors that last', () => {
	expect(channels?.description).toBe('Pages of creators');
	expect(channels?.operations.map(({ id }) => id)).toEqual(['get-channels', 'post-channels']);
	expect(other?.tag).toBe('other');
	expect(other?.operations[0]?.parameters[0]?.name).toBe('id');
	expect(make.answers.map(({ status }) => status)).toEqual(['201', '422']);
});

test('a search finds operations that have every word', () => {
	expect(matches(list, 'LIST chan')).toBe(true);
	expect(matches(list, 'list stream')).toBe(false);
	expect(matches(list, '')).toBe(true);
});

test('types read as words, with the names of schemas', () => {
	expect(words({ $ref: '#/components/schemas/NewChannel' })).toEqual([
		{ text: 'NewChannel', name: 'NewChannel' }
	]);
	const text = (schema: Parameters<typeof words>[0]) =>
		words(schema)
			.map((word) => word.text)
			.join('');
	expect(text({ type: ['array', 'null'], items: { type: 'string' } })).toBe('list of string or null');
	expect(text({ type: 'string', enum: ['a', 'b'] })).toBe('"a" or "b"');
	expect(text(undefined)).toBe('anything');
});

test('limits are said in words', () => {
	expect(limits({ type: 'string', minLength: 1, maxLength: 80 })).toBe('1 to 80 characters');
	expect(limits({ type: 'integer', minimum: 1, default: 25 })).toBe('at least 1, default 25');
});

test('an example ends even where a schema contains itself', () => {
	expect(example(document, { $ref: '#/components/schemas/NewChannel' })).toMatchObject({
		title: "Ada's",
		tags: ['text']
	});
});

test('a curl line is ready for a shell', () => {
	const line = curl(document, make, 'https://live.example.org');
	expect(line).toContain("curl -X POST 'https://live.example.org/api/v1/channels'");
	expect(line).toContain(`"title":"Ada'\\''s"`);
	expect(curl(document, other?.operations[0] as Operation, '')).toContain('--data-binary @FILE');
	expect(curl(document, list, '')).not.toContain('-d ');
});
