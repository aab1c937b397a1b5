/** Cutting a picture to a shape: where the cut lies for a zoom and a position. */

export interface Size {
	width: number;
	height: number;
}

/** What to cut out, in the picture's own pixels. */
export interface Cut extends Size {
	x: number;
	y: number;
}

/** `zoom` 1 shows as much as fits, 4 a quarter of it; `x` and `y` go from 0 (left, top) to 1 (right, bottom). */
export interface Position {
	zoom: number;
	x: number;
	y: number;
}

export const CENTRE: Position = { zoom: 1, x: 0.5, y: 0.5 };
export const ZOOM_MAX = 4;

export function cut(picture: Size, shape: Size, { zoom, x, y }: Position): Cut {
	const scale = Math.min(picture.width / shape.width, picture.height / shape.height) / zoom;
	const [width, height] = [shape.width * scale, shape.height * scale];
	return { x: (picture.width - width) * x, y: (picture.height - height) * y, width, height };
}

/** The position after the picture was dragged by `dx`, `dy` pixels of a preview `shown` wide. */
export function dragged(
	picture: Size,
	shape: Size,
	position: Position,
	shown: number,
	dx: number,
	dy: number
): Position {
	const { width, height } = cut(picture, shape, position);
	const scale = width / shown;
	const move = (at: number, by: number, room: number) =>
		room <= 0 ? at : Math.min(1, Math.max(0, at - (by * scale) / room));
	return {
		zoom: position.zoom,
		x: move(position.x, dx, picture.width - width),
		y: move(position.y, dy, picture.height - height)
	};
}
