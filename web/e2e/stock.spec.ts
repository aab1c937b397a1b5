/**
 * Players that are not ours, as they come, and sources that change while they play: hls.js with its own settings over
 * Low-Latency HLS, and Shaka Player over DASH.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Page } from '@playwright/test';
import { newChannel, newCreator } from './creators';
import { expect, test } from './support';

const require = createRequire(import.meta.url);
const LIBRARIES = {
	'hls.js': join(dirname(require.resolve('hls.js')), 'hls.min.js'),
	shaka: join(dirname(require.resolve('shaka-player/package.json')), 'dist/shaka-player.compiled-es2021.js')
};
type Library = keyof typeof LIBRARIES;

interface Picture {
	size: string;
	rate: string;
	/** How it is encoded. */
	video: string;
	/** Which ffmpeg sends it. */
	ffmpeg?: string;
}

const FIRST: Picture = { size: '640x360', rate: '30', video: 'libx264 -preset ultrafast -tune zerolatency -g 60' };
/** Another shape, another rate, frames in another order than they are shown in, and a key frame every eight seconds. */
const SECOND: Picture = { size: '480x640', rate: '25', video: 'libx264 -preset ultrafast -bf 2 -g 200' };
const AV1: Picture = {
	size: '640x360',
	rate: '30',
	video: 'libsvtav1 -preset 12 -svtav1-params pred-struct=1:lookahead=0 -g 60 -b:v 1500k',
	ffmpeg: process.env.MODERN_FFMPEG
};

function send({ size, rate, video, ffmpeg = 'ffmpeg' }: Picture, key: string): ChildProcess {
	const words = [
		`-loglevel error -re -f lavfi -i testsrc2=size=${size}:rate=${rate}`,
		'-re -f lavfi -i sine=frequency=440:sample_rate=48000',
		`-c:v ${video} -b:v 1500k -pix_fmt yuv420p -c:a aac -f flv ${process.env.HEADWATER_RTMP}/${key}`
	];
	return spawn(ffmpeg, words.join(' ').split(' '), { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function cut(source: ChildProcess) {
	const exit = once(source, 'exit');
	source.kill('SIGKILL');
	await exit;
}

/** Opens a page with nothing but a video and the library as it comes, playing this stream. */
async function play(page: Page, library: Library, name: string) {
	await page.goto('/healthz');
	await page.setContent('<video muted autoplay></video>');
	await page.addScriptTag({ path: LIBRARIES[library] });
	await page.evaluate(
		([library, name]) => {
			const video = document.querySelector('video') as HTMLVideoElement;
			const root = document.documentElement;
			root.dataset.faults = '';
			const { Hls, shaka } = window as unknown as Record<string, any>;
			if (library === 'hls.js') {
				const hls = new Hls();
				hls.on('hlsError', (_: unknown, { fatal, details }: { fatal: boolean; details: string }) => {
					if (fatal) root.dataset.faults += `${details} `;
				});
				hls.loadSource(`/live/${name}.m3u8`);
				hls.attachMedia(video);
				return undefined;
			}
			const player = new shaka.Player();
			player.addEventListener('error', ({ detail }: { detail: { severity: number; code: number } }) => {
				if (detail.severity === 2) root.dataset.faults += `${detail.code} `;
			});
			return player.attach(video).then(() => player.load(`/live/${name}.mpd`));
		},
		[library, name] as const
	);
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
	await expect.poll(async () => (await shown(page)).time, { timeout: 30_000 }).toBeGreaterThan(time + 2);
}

for (const library of Object.keys(LIBRARIES) as Library[]) {
	test.describe(library, () => {
		test.use({ bypassCSP: true });
		test.setTimeout(150_000);

		async function stays(page: Page, first: Picture, second: Picture, arrived: (page: Page) => Promise<void>) {
			const creator = await newCreator('Stock');
			const channel = await newChannel(creator, 'Harbour stock');
			const path = `/api/v1/streams/${channel.stream}`;
			const { settings } = (await (await creator.api.get(path)).json()) as { settings: object };
			const rung = { name: '144p', size: 144, frame_rate_max: 30, bitrate: 150_000, codec: 'avc' };
			const ladder = { mode: 'rungs', rungs: [rung] };
			expect((await creator.api.patch(path, { data: { settings: { ...settings, ladder } } })).status()).toBe(200);
			let source = send(first, channel.key);
			try {
				const listed = async () => (await page.request.get(`/live/${channel.handle}.m3u8`)).text();
				await expect.poll(listed, { timeout: 30_000 }).toContain('/video-16.m3u8');
				await play(page, library, channel.handle);
				await moves(page);
				await cut(source);
				source = send(second, channel.key);
				await arrived(page);
				await moves(page);
				expect((await shown(page)).faults).toBe('');
			} finally {
				await cut(source);
			}
		}

		test('a source that returns with another size, rate and order of frames is played through', async ({ page }) => {
			await stays(page, FIRST, SECOND, async () => {
				await expect.poll(async () => (await shown(page)).upright, { timeout: 60_000 }).toBe(true);
			});
		});

		test('a source that returns with another codec is played through', async ({ page }) => {
			test.skip(!process.env.MODERN_FFMPEG, 'only a modern ffmpeg sends AV1');
			await stays(page, FIRST, AV1, async () => {
				await page.waitForTimeout(15_000);
			});
		});
	});
}
