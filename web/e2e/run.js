// Runs the end-to-end tests against the real server: starts the binary on free ports with an empty data folder,
// or uses the one at HEADWATER_URL (with HEADWATER_RTMP). Arguments go to Playwright: `npm run e2e -- watch`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const web = join(import.meta.dirname, '..');

async function freePort() {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (address === null || typeof address === 'string') throw new Error('no free port');
	return address.port;
}

/** @param {string} url */
async function ready(url) {
	for (let tries = 0; tries < 150; tries++) {
		const answer = await fetch(`${url}/readyz`).catch(() => null);
		if (answer?.ok) return;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`the server is not ready after 15 s: ${url}`);
}

async function startServer() {
	const binary = process.env.HEADWATER_BIN ?? join(web, '../target/debug/headwater');
	if (!existsSync(binary)) throw new Error(`build the server first (cargo build): ${binary} is missing`);
	const [http, rtmp, data] = [
		await freePort(),
		await freePort(),
		mkdtempSync(join(tmpdir(), 'headwater-e2e-'))
	];
	const listen = ['--http', `127.0.0.1:${http}`, '--rtmp', `127.0.0.1:${rtmp}`, '--data', data];
	// Ours are no keys of the server's, and it is strict about them.
	const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HEADWATER_'));
	const server = spawn(binary, ['serve', ...listen], {
		env: { ...Object.fromEntries(inherited), HEADWATER_PUBLISH_OPEN: 'loopback' },
		stdio: ['ignore', process.env.VERBOSE ? 'inherit' : 'ignore', 'inherit']
	});
	const url = `http://127.0.0.1:${http}`;
	await ready(url);
	return {
		url,
		rtmp: `rtmp://127.0.0.1:${rtmp}/stream`,
		async stop() {
			server.kill('SIGTERM');
			if (server.exitCode === null) await once(server, 'exit');
			rmSync(data, { recursive: true, force: true });
		}
	};
}

const given = process.env.HEADWATER_URL;
const server = given
	? { url: given, rtmp: process.env.HEADWATER_RTMP ?? 'rtmp://127.0.0.1:1935/stream', stop: async () => {} }
	: await startServer();
const tests = spawn(
	process.execPath,
	[
		join(web, 'node_modules/@playwright/test/cli.js'),
		'test',
		'-c',
		'e2e/playwright.config.ts',
		...process.argv.slice(2)
	],
	{
		cwd: web,
		stdio: 'inherit',
		env: { ...process.env, HEADWATER_URL: server.url, HEADWATER_RTMP: server.rtmp }
	}
);
const [status] = await once(tests, 'exit');
await server.stop();
process.exit(status ?? 1);
