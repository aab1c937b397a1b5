// The sound alone, and the choice among several sounds.
import type { Page } from '@playwright/test';
import { newLadder } from './creators';
import { tabTo } from './people';
import { type Encoder, expect, expectAccessible, expectMoving, lines, openSettings, test } from './support';

const MODES = [
	{ name: 'Low latency', stored: 'low' },
	{ name: 'DASH', stored: 'dash' }
];

const LOW = 440;
const HIGH = 1760;

function play(page: Page, mode: string) {
	return page.addInitScript((chosen) => localStorage.setItem('headwater.mode', chosen), mode);
}

function position(page: Page): Promise<number> {
	return page.evaluate(
		() => document.querySelector('live-video')?.shadowRoot?.querySelector('video')?.currentTime ?? 0
	);
}

/** Waits until playback goes on at about its own speed. */
async function expectPlaying(page: Page) {
	const advance = async () => {
		const before = await position(page);
		await page.waitForTimeout(1000);
		return (await position(page)) - before;
	};
	await expect.poll(advance, { timeout: 30_000 }).toBeGreaterThan(0.8);
}

/** Whatever is asked of the server for a picture, from now on. */
function watchPictures(page: Page): string[] {
	const asked: string[] = [];
	page.on('request', (request) => {
		const { pathname } = new URL(request.url());
		if (/^\/live\/.*\/(video|still)/.test(pathname)) asked.push(pathname);
	});
	return asked;
}

for (const { name, stored } of MODES) {
	test(`by keyboard: a viewer has the sound alone, and the picture back: ${name}`, async ({
		page,
		publish
	}) => {
		test.setTimeout(150_000);
		const channel = await newLadder();
		publish(channel.key);
		await play(page, stored);
		await page.setViewportSize({ width: 1440, height: 900 });
		await page.goto(`/c/${channel.handle}`);
		await expectMoving(page);
		const settings = page.getByRole('button', { name: /behind live/ });
		await tabTo(page, settings);
		await page.keyboard.press('Enter');
		const quality = page.getByRole('group', { name: 'Quality' });
		await expect(quality.getByRole('radio')).toHaveCount(5, { timeout: 45_000 });
		await tabTo(page, quality.getByRole('radio', { name: /Auto/ }));
		// Upwards from the first is the last.
		await page.keyboard.press('ArrowUp');
		await expect(quality.getByRole('radio', { name: /Sound only/ })).toBeChecked();
		await expect.poll(() => lines(page)).toBe(0);
		await expectPlaying(page);
		const pictures = watchPictures(page);
		await expectAccessible(page);
		await page.keyboard.press('Escape');
		const stage = page.locator('#player');
		await expect(stage.getByText('Sound only', { exact: true }).first()).toBeVisible();
		await expect(stage.getByRole('button', { name: 'Show the picture' })).toBeVisible();
		await expect(stage.getByRole('button', { name: 'mute', exact: true })).toBeVisible();
		await expectAccessible(page);
		await page.waitForTimeout(6000);
		await expectPlaying(page);
		expect(pictures).toEqual([]);
		await expect(page.getByTestId('latency')).toHaveText(/^\d/);

		await page.keyboard.press('Enter');
		await expect(quality.getByRole('radio')).toHaveCount(5);
		await tabTo(page, quality.getByRole('radio', { name: /Sound only/ }));
		await page.keyboard.press('ArrowDown');
		await expect(quality.getByRole('radio', { name: /Auto/ })).toBeChecked();
		await expectMoving(page);
		await expect(stage.getByRole('button', { name: 'Show the picture' })).toHaveCount(0);
		expect(pictures).not.toEqual([]);
	});
}

/** A moving pattern in so many qualities, with two tones, as tracks of one connection. */
function twoSounds(pictures: 1 | 2): Encoder {
	const media = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30'];
	const tones = [LOW, HIGH].flatMap((hertz) => ['-f', 'lavfi', '-i', `sine=f=${hertz}:sample_rate=48000`]);
	const two = ['-filter_complex', '[0:v]split[a][b];[b]scale=426:240[s]', '-map', '[a]', '-map', '[s]'];
	const maps = [...(pictures === 2 ? two : ['-map', '0:v']), '-map', '1:a', '-map', '2:a'];
	const codecs =
		'-c:v libx264 -preset ultrafast -tune zerolatency -g 60 -pix_fmt yuv420p -b:v 1M -c:a aac'.split(' ');
	return { program: process.env.MODERN_FFMPEG ?? '', options: [...media, ...tones, ...maps, ...codecs] };
}

/** Listens to the page's video from now on. */
async function listen(page: Page) {
	await page.evaluate(() => {
		const video = document.querySelector('live-video')?.shadowRoot?.querySelector('video');
		if (!video) throw new Error('there is no video');
		const context = new AudioContext();
		const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
		context.createMediaElementSource(video).connect(analyser).connect(context.destination);
		Object.assign(globalThis, { analyser });
	});
}

/** The loudest frequency that is heard now, in hertz; 0 for silence. */
function pitch(page: Page): Promise<number> {
	return page.evaluate(() => {
		const { analyser } = globalThis as unknown as { analyser: AnalyserNode };
		const loudness = new Float32Array(analyser.frequencyBinCount);
		analyser.getFloatFrequencyData(loudness);
		const most = loudness.indexOf(Math.max(...loudness));
		if ((loudness[most] ?? -Infinity) < -60) return 0;
		return (most * analyser.context.sampleRate) / analyser.fftSize;
	});
}

/** Waits until a tone is heard; the player may go a little faster or slower. */
async function expectToHear(page: Page, hertz: number) {
	await expect
		.poll(async () => Math.abs((await pitch(page)) - hertz) / hertz, { timeout: 30_000 })
		.toBeLessThan(0.1);
}

for (const { name, stored } of MODES) {
	test(`of two sounds a viewer hears the one that was chosen: ${name}`, async ({ page, publish }) => {
		test.skip(!process.env.MODERN_FFMPEG, 'only a modern ffmpeg sends several tracks');
		const stream = `sounds-${process.pid}-${stored}`;
		publish(stream, undefined, twoSounds(1));
		await play(page, stored);
		await page.goto(`/watch/${stream}`);
		await expectMoving(page);
		await page.getByRole('button', { name: 'Tap to unmute' }).click();
		await listen(page);
		await expectToHear(page, LOW);
		const sounds = (await openSettings(page)).getByRole('group', { name: 'Sound' });
		await expect(sounds.getByRole('radio')).toHaveCount(2);
		await sounds.getByRole('radio', { name: 'Audio 2' }).check();
		await expectToHear(page, HIGH);
		await expectMoving(page);
		await sounds.getByRole('radio', { name: 'Audio', exact: true }).check();
		await expectToHear(page, LOW);
	});

	test(`the sound that was chosen is the one that is heard alone: ${name}`, async ({ page, publish }) => {
		test.skip(!process.env.MODERN_FFMPEG, 'only a modern ffmpeg sends several tracks');
		const stream = `alone-${process.pid}-${stored}`;
		publish(stream, undefined, twoSounds(2));
		await play(page, stored);
		await page.goto(`/watch/${stream}`);
		await expectMoving(page);
		await listen(page);
		const menu = await openSettings(page);
		await menu.getByRole('radio', { name: 'Audio 2' }).check();
		await menu.getByRole('radio', { name: /Sound only/ }).check();
		await expect.poll(() => lines(page)).toBe(0);
		await expectToHear(page, HIGH);
		await expect(menu.getByRole('radio', { name: 'Audio 2' })).toBeChecked();
		await menu.getByRole('radio', { name: 'Audio', exact: true }).check();
		await expectToHear(page, LOW);
		await menu.getByRole('radio', { name: /^240p/ }).check();
		await expect.poll(() => lines(page), { timeout: 30_000 }).toBe(240);
		await expectToHear(page, LOW);
	});
}
