import { expect, test } from 'vitest';
import { handleOf, handleProblem, tagsOf } from './handle';

test.each([
	['ada', null],
	['ada_lovelace-2', null],
	['ab', 'short'],
	['', 'short'],
	['Ada', 'signs'],
	['a da', 'signs'],
	['-ada', 'edges'],
	['_ada', 'edges'],
	['ada_', null],
	['a'.repeat(25), 'long'],
	['a'.repeat(24), null]
])('the handle %j is judged %j', (handle, problem) => {
	expect(handleProblem(handle)).toBe(problem);
});

test('a title suggests a handle that may be one', () => {
	expect(handleOf('Ada’s Café!')).toBe('adas-cafe');
	expect(handleOf('  Harbour Cam, evening  ')).toBe('harbour-cam-evening');
	expect(handleOf('日本')).toBe('');
	expect(handleOf('x'.repeat(23) + ' yy')).toBe('x'.repeat(23));
});

test('tags are cut at commas and each is kept once', () => {
	expect(tagsOf('jazz, #Live,, jazz ', ['LIVE'])).toEqual(['jazz']);
	expect(tagsOf('x'.repeat(40))).toEqual(['x'.repeat(30)]);
});
