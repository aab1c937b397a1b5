/**
 * Players that are not ours, as they come, and sources that change while they play: hls.js with its own settings over
 * Low-Latency HLS, and Shaka Player over DASH.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Page } from '@playwright/test';
import { type Made, newLadder } from './creators';
import { type Encoder, expect, test } from './support';

const require = createRequire(import.meta.url);
const LIBRARIES = {
	'hls.js': join(dirname(require.resolve('hls.js')), 'hls.min.js'),
	shaka: join(dirname(require.resolve('shaka-player/package.json')), 'dist/shaka-player.compiled-es2021.js')
};
type Library = keyof typeof LIBRARIES;

function encoder(size: string, rate: number, video: string, program = 'ffmpeg'): Encoder {
	const words = [
		`-re -f lavfi -i testsrc2=size=${size}:rate=${rate}`,
		'-re -f lavfi -i sine=frequency=440:sample_rate=48000',
		`-c:v ${video} -pix_fmt yuv420p -c:a aac`
	];
	return { program, options: words.join(' ').split(' ') };
}

/** Another shape, another rate, frames in another order than they are shown in, and a key frame every eight seconds. */
const OTHER = encoder('480x640', 25, 'libx264 -preset ultrafast -bf 2 -g 200 -b:v 1500k');
const AV1 = encoder(
	'640x360',
	30,
	'libsvtav1 -preset 12 -svtav1-params pred-struct=1 -g 60 -crf 45',
	process.env.MODERN_FFMPEG
);

/** Plays a stream with its ladder, in a page with nothing but a video and the library as it comes. */
async function play(page: Page, library: Library, { handle }: Made) {
	const listed = () => page.request.get(`/live/${handle}.m3u8`).then((answer) => answer.text());
	await expect.poll(listed, { timeout: 30_000 }).toContain('/video-16.m3u8');
	await page.goto('/healthz');
	await page.setContent('<video muted autoplay></video>');
	await page.addScriptTag({ path: LIBRARIES[library] });
	await page.evaluate(library === 'hls.js' ? playHls : playDash, handle);
	await moves(page);
}

/** Runs in the page; errors that a player does not get over are noted there. */
function playHls(handle: string) {
	const { Hls } = window as unknown as { Hls: typeof import('hls.js').default };
	const hls = new Hls();
	document.documentElement.dataset.faults = '';
	hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
		if (fatal) document.documentElement.dataset.faults += `${details} `;
	});
	hls.loadSource(`/live/${handle}.m3u8`);
	hls.attachMedia(document.querySelector('video') as HTMLVideoElement);
}

/** Runs in the page. */
async function playDash(handle: string) {
	const { shaka } = window as unknown as { shaka: typeof import('shaka-player') };
	const player = new shaka.Player();
	document.documentElement.dataset.faults = '';
	player.addEventListener('error', (event) => {
		const { severity, code } = (event as unknown as { detail: { severity: number; code: number } }).detail;
		if (severity === 2) document.documentElement.dataset.faults += `${code} `;
	});
	await player.attach(document.querySelector('video') as HTMLVideoElement);
	await player.load(`/live/${handle}.mpd`);
}

/** What is on screen, and where the playhead is. */
function shown(page: Page) {
	return page.evaluate(() => {
		const video = document.querySelector('video') as HTMLVideoElement;
		const { faults } = document.documentElement.dataset;
		return { upright: video.videoHeight > video.videoWidth, time: video.currentTime, faults };
	});
}

/** The picture moves on by itself. */
async function moves(page: Page) {
	const { time } = await shown(page);
	const now = async () => {
		const { time, faults } = await shown(page);
		expect(faults).toBe('');
		return time;
	};
	await expect.poll(now, { timeout: 30_000 }).toBeGreaterThan(time + 2);
}

for (const library of Object.keys(LIBRARIES) as Library[]) {
	test.describe(library, () => {
		test.use({ bypassCSP: true });
		test.setTimeout(150_000);

		test('a source that returns with another size, rate and order of frames is played through', async ({
			page,
			publish
		}) => {
			const channel = await newLadder();
			const first = publish(channel.key);
			await play(page, library, channel);
			await first.kill();
			publish(channel.key, undefined, OTHER);
			await expect.poll(async () => (await shown(page)).upright, { timeout: 60_000 }).toBe(true);
			await moves(page);
		});

		test('a source that returns with another codec is played through', async ({ page, publish }) => {
			test.skip(!process.env.MODERN_FFMPEG, 'only a modern ffmpeg sends AV1');
			const channel = await newLadder();
			const first = publish(channel.key);
			await play(page, library, channel);
			await first.kill();
			publish(channel.key, undefined, AV1);
			const initial = () => page.request.get(`/live/${channel.handle}.m3u8`).then((answer) => answer.text());
			await expect.poll(initial, { timeout: 30_000 }).toContain('CODECS="av01');
			// Past what was in the buffer.
			await page.waitForTimeout(10_000);
			await moves(page);
		});
	});
}
