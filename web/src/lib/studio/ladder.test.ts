import { expect, test } from 'vitest';
import type { PlannedRung, StreamLadder } from '$lib/api';
import { another, cores, draft, ladder, suggested } from './ladder';

const own: StreamLadder = {
	mode: 'rungs',
	rungs: [
		{ name: '720p', size: 720, frame_rate_max: 60, bitrate: 3_200_000, codec: 'avc' },
		{ name: 'low', size: 240, frame_rate_max: 30, bitrate: 350_000, codec: 'hevc' }
	]
};

test.each<[string, StreamLadder]>([
	['the server’s', { mode: 'server' }],
	['none', { mode: 'off' }],
	['a preset', { mode: 'preset', preset: 'mobile' }],
	['own rungs', own],
	['a program’s', { mode: 'webhook' }]
])('a ladder that is %s comes back as it was', (_, value) => {
	expect(ladder(draft(value, 'default'))).toEqual(value);
});

test('what is no number is sent as one that the server refuses by its name', () => {
	const fields = draft(own, 'default');
	const [first] = fields.rungs;
	if (first) Object.assign(first, { size: 'big', kilobits: '', frameRate: '-3' });
	const sent = ladder(fields);
	expect(sent.mode === 'rungs' && sent.rungs[0]).toMatchObject({ size: 1, bitrate: 1000, frame_rate_max: 1 });
});

test('own rungs begin with what viewers get now, portrait or not', () => {
	const planned = (width: number, height: number): PlannedRung => ({
		name: '480p',
		width,
		height,
		frame_rate: 29.97,
		bitrate: 1_100_000,
		encoder: 'libx264',
		cost: 80,
		reason: null
	});
	expect(suggested([planned(854, 480)])[0]).toMatchObject({ size: '480', frameRate: '30', kilobits: '1100' });
	expect(suggested([planned(480, 854)])[0]).toMatchObject({ size: '480' });
	expect(suggested([])).toHaveLength(1);
});

test('each further rung is the next one down, with a name of its own', () => {
	const rows = draft(own, 'default').rungs;
	expect(another([])).toMatchObject({ name: '720p', size: '720' });
	expect(another(rows)).toMatchObject({ name: '144p', size: '144' });
	const least = another([...rows, another(rows)]);
	expect(least).toMatchObject({ name: '120p', size: '120' });
	expect(another([...rows, another(rows), least]).name).toBe('120p-2');
});

test.each([
	[180, '0.18 cores'],
	[2_000, '2.00 cores'],
	[12_340, '12.3 cores']
])('%d thousandths of a processor read %s', (cost, text) => expect(cores(cost)).toBe(text));
