import { expect, test } from 'vitest';
import { CENTRE, cut, dragged } from './crop';

const square = { width: 512, height: 512 };
const wide = { width: 1000, height: 500 };

test('as much of the picture as fits is cut from its middle', () => {
	expect(cut(wide, square, CENTRE)).toEqual({ x: 250, y: 0, width: 500, height: 500 });
	expect(cut(wide, square, { zoom: 2, x: 0, y: 1 })).toEqual({ x: 0, y: 250, width: 250, height: 250 });
});

test('dragging to the right shows more of the left, and stops at the edge', () => {
	const moved = dragged(wide, square, CENTRE, 250, 50, 50);
	expect(cut(wide, square, moved).x).toBe(150);
	expect(moved.y).toBe(0.5);
	expect(dragged(wide, square, CENTRE, 250, 9999, 0).x).toBe(0);
	expect(dragged(wide, square, CENTRE, 250, -9999, 0).x).toBe(1);
});
