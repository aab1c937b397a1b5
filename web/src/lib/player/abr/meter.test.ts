import { expect, test } from 'vitest';
import { Meter, type Transfer } from './meter';

/** A part of a third of a second of a stream of `bits`, over a link of `link` bits per second. */
function part(bits: number, link: number, wait = 0.01): Transfer {
	const media = 1 / 3;
	const seconds = (bits * media) / link;
	return { bytes: (bits * media) / 8, seconds, whole: wait + seconds, media };
}

function after(seconds: number, bits: number, link: number, meter = new Meter()) {
	for (let t = 0; t < seconds; t += 1 / 3) meter.add(part(bits, link));
	return meter;
}

test('nothing is known before the first transfer', () => {
	expect(new Meter().bits).toBeNull();
	expect(new Meter().load).toBeNull();
});

test('parts that come as they are made tell the link, not the stream', () => {
	expect(after(10, 1e6, 20e6).bits).toBeCloseTo(20e6, -5);
});

test('a link that becomes slow is believed within two parts', () => {
	const meter = after(20, 2.5e6, 100e6);
	meter.add(part(2.5e6, 800e3));
	meter.add(part(2.5e6, 800e3));
	expect(meter.bits).toBeLessThan(1.2e6);
	expect(meter.load).toBeGreaterThan(1);
});

test('a link that returns is believed step by step, though the parts are small', () => {
	const meter = after(10, 300e3, 500e3);
	expect(after(1, 300e3, 50e6, meter).bits).toBeLessThan(1e6);
	expect(after(12, 300e3, 50e6, meter).bits).toBeGreaterThan(3e6);
});

test('one late part among many is no other link', () => {
	const meter = after(20, 2.5e6, 50e6);
	meter.add({ ...part(2.5e6, 50e6), whole: 0.4 });
	expect(meter.bits).toBeGreaterThan(40e6);
	expect(meter.load).toBeLessThan(0.4);
});

test('after a restart only the new link counts', () => {
	const meter = after(20, 2.5e6, 50e6);
	meter.restart(400e3);
	expect(meter.bits).toBeCloseTo(400e3, -3);
	expect(meter.load).toBeNull();
});

test('what came beside took its share of the link', () => {
	const meter = new Meter();
	meter.beside({ bytes: 50_000, first: 8, end: 9 });
	meter.beside({ bytes: 10_000, first: 10.2, end: 10.4 });
	meter.beside({ bytes: 20_000, first: 10.8, end: 11.2 });
	meter.add({ bytes: 30_000, seconds: 1, whole: 1, media: 1, end: 11 });
	expect(meter.bits).toBeCloseTo(50_000 * 8, -1);
});
