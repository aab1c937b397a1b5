import { expect, test } from 'vitest';
import { command } from './keyboard';

const press = (key: string, change = {}) => ({
	key,
	ctrlKey: false,
	metaKey: false,
	altKey: false,
	...change
});

test.each([
	[' ', 'play'],
	['K', 'play'],
	['m', 'mute'],
	['f', 'fullscreen'],
	['i', 'pip'],
	['?', 'help']
])('%s means %s', (key, meaning) => expect(command(press(key), 'none')).toBe(meaning));

test('J goes back and L goes on', () => {
	expect(command(press('j'), 'none')).toEqual({ seek: -10 });
	expect(command(press('ArrowRight'), 'none')).toEqual({ seek: 5 });
});

test('keys of the browser stay with the browser', () => {
	expect(command(press('f', { ctrlKey: true }), 'none')).toBeNull();
});

test('while someone types, no key is a command', () => {
	expect(command(press('m'), 'text')).toBeNull();
});

test('a focused button keeps Space and leaves the letters', () => {
	expect(command(press(' '), 'control')).toBeNull();
	expect(command(press('m'), 'control')).toBe('mute');
});
