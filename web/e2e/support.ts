/** What the tests share: a publisher, the picture's progress, the accessibility check. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';

/** What is sent, and by which ffmpeg; its arguments up to the address. */
export interface Encoder {
	program: string;
	options: string[];
}

/** An encoder as any user would run it: a moving pattern and a tone by RTMP. */
export class Publisher {
	#process: ChildProcess;

	/** `server` is the address up to the stream's name or key. */
	constructor(name: string, server = process.env.HEADWATER_RTMP, encoder = Publisher.#usual()) {
		const address = `${server}/${name}`;
		this.#process = spawn(encoder.program, ['-loglevel', 'error', ...encoder.options, '-f', 'flv', address], {
			stdio: ['ignore', 'ignore', 'inherit']
		});
	}

	static #usual(): Encoder {
		const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30'];
		const tone = ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
		const video = [
			'-c:v',
			'libx264',
			'-preset',
			'ultrafast',
			'-tune',
			'zerolatency',
			'-g',
			'60',
			'-b:v',
			'1500k'
		];
		const rest = ['-pix_fmt', 'yuv420p', '-c:a', 'aac'];
		return { program: 'ffmpeg', options: [...source, ...tone, ...video, ...rest] };
	}

	/** Waits until it ends by itself; its exit status. */
	async ended(): Promise<number | null> {
		if (this.#process.exitCode === null && this.#process.signalCode === null)
			await once(this.#process, 'exit');
		return this.#process.exitCode;
	}

	/** As when the machine loses power: the connection breaks without a word. */
	async kill() {
		await this.#end('SIGKILL');
	}

	/** As when the broadcaster presses Stop. */
	async stop() {
		await this.#end('SIGINT');
	}

	async #end(signal: NodeJS.Signals) {
		if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
		const exit = once(this.#process, 'exit');
		this.#process.kill(signal);
		await exit;
	}
}

/** Tests with `publish(name, server, encoder)`; whatever is still published afterwards is stopped. */
export const test = base.extend<{ publish: (name: string, server?: string, encoder?: Encoder) => Publisher }>(
	{
		publish: async ({}, use) => {
			const publishers: Publisher[] = [];
			await use((name, server, encoder) => {
				const publisher = new Publisher(name, server, encoder);
				publishers.push(publisher);
				return publisher;
			});
			await Promise.all(publishers.map((publisher) => publisher.kill()));
		}
	}
);

export { expect };

/** Frames shown during `ms`. */
export async function framesIn(page: Page, ms: number): Promise<number> {
	return page.evaluate(async (wait) => {
		const video = document.querySelector('live-video')?.shadowRoot?.querySelector('video');
		const frames = () => video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
		const before = frames();
		await new Promise((resolve) => setTimeout(resolve, wait));
		return frames() - before;
	}, ms);
}

/** Waits until the picture moves at more than half its rate. */
export async function expectMoving(page: Page) {
	await expect.poll(() => framesIn(page, 1000), { timeout: 30_000 }).toBeGreaterThan(15);
}

/** Lines of the picture on screen. */
export function lines(page: Page): Promise<number> {
	return page.evaluate(
		() => document.querySelector('live-video')?.shadowRoot?.querySelector('video')?.videoHeight ?? 0
	);
}

/** Opens the player's menu. */
export async function openSettings(page: Page): Promise<Locator> {
	await page.getByRole('button', { name: /behind live/ }).click();
	const menu = page.getByRole('dialog', { name: 'Quality, sound and latency' });
	await expect(menu).toBeVisible();
	return menu;
}

/** Seconds behind live, as the page shows them. */
export async function shownLatency(page: Page): Promise<number> {
	return Number.parseFloat((await page.getByTestId('latency').textContent()) ?? '');
}

/** No rule of axe is broken on the page as it stands. */
export async function expectAccessible(page: Page) {
	const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
	await page.evaluate(axe);
	const results = await page.evaluate(() =>
		(globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run()
	);
	const broken = results.violations.map(({ id, help, nodes }) => ({
		id,
		help,
		at: nodes.map((n) => n.html)
	}));
	expect(broken).toEqual([]);
}

/** Kilobytes over the wire by kind of file, since the page was opened. */
export async function weigh(page: Page, open: () => Promise<void>): Promise<Record<string, number>> {
	const session = await page.context().newCDPSession(page);
	const kinds = new Map<string, string>();
	const bytes: Record<string, number> = { Script: 0, Stylesheet: 0, Font: 0 };
	await session.send('Network.enable');
	await session.send('Network.setCacheDisabled', { cacheDisabled: true });
	session.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
	session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
		const kind = kinds.get(requestId) ?? 'Other';
		bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength / 1000;
	});
	await open();
	return bytes;
}
