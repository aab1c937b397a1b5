import { expect, test } from 'vitest';
import { Arrival } from './arrival';

function box(type: string, content: number): Uint8Array {
	const bytes = new Uint8Array(8 + content);
	new DataView(bytes.buffer).setUint32(0, bytes.length);
	bytes.set(new TextEncoder().encode(type), 4);
	return bytes;
}

function join(...boxes: Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(boxes.reduce((sum, { length }) => sum + length, 0));
	boxes.reduce((at, one) => (bytes.set(one, at), at + one.length), 0);
	return bytes;
}

const chunk = join(box('moof', 92), box('mdat', 892));

test('between two chunks nothing is said of the link', () => {
	const arrival = new Arrival();
	arrival.take(chunk.subarray(0, 500), 10);
	const [first] = arrival.take(chunk.subarray(500), 10.01);
	expect(first?.size).toBe(1000);
	expect(first?.bytes).toBe(500);
	expect(first?.seconds).toBeCloseTo(0.01);
	expect(arrival.pending(10.3)).toBeNull();
	arrival.take(chunk.subarray(0, 200), 10.34);
	const [second] = arrival.take(chunk.subarray(200), 10.36);
	expect(second?.bytes).toBe(800);
	expect(second?.seconds).toBeCloseTo(0.02);
});

test('a chunk in one piece came at once', () => {
	const [only] = new Arrival().take(chunk, 5);
	expect(only).toEqual({ bytes: 0, seconds: 0, size: 1000 });
});

test('chunks that were there already came without a pause', () => {
	const arrival = new Arrival();
	const all = join(chunk, chunk, chunk);
	arrival.take(all.subarray(0, 500), 1);
	const ended = arrival.take(all.subarray(500), 1.1);
	expect(ended.map(({ size }) => size)).toEqual([1000, 1000, 1000]);
	expect(ended.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(2500);
	expect(ended.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(0.1);
});

test('a chunk under way says how large it will be', () => {
	const arrival = new Arrival();
	arrival.take(chunk.subarray(0, 150), 1);
	arrival.take(chunk.subarray(150, 300), 1.2);
	const pending = arrival.pending(1.5);
	expect(pending?.size).toBe(1000);
	expect(pending?.bytes).toBe(150);
	expect(pending?.seconds).toBeCloseTo(0.5);
});

test('a header that is cut in two is read all the same', () => {
	for (let cut = 1; cut < chunk.length; cut++) {
		const arrival = new Arrival();
		const ended = [...arrival.take(chunk.subarray(0, cut), 1), ...arrival.take(chunk.subarray(cut), 2)];
		expect(ended.map(({ size }) => size)).toEqual([1000]);
		expect(arrival.pending(3)).toBeNull();
	}
});
