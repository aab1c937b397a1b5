// The real binary on free ports with an empty data folder.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BINARY = process.env.HEADWATER_BIN ?? join(import.meta.dirname, '../../target/debug/headwater');

/** The owner of a server that the tests set up. */
export const OWNER = { name: 'Olive Owner', email: 'olive@example.org', password: 'a river finds its way' };

export async function freePort() {
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

/**
 * Ours are no keys of the server's, and it is strict about them.
 * @param {Record<string, string>} settings
 */
function environment(settings) {
	const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HEADWATER_'));
	return {
		...Object.fromEntries(inherited),
		HEADWATER_PUBLISH_OPEN: 'loopback',
		HEADWATER_TRANSCODE_LADDER: 'off',
		...settings
	};
}

/** @param {Record<string, string>} settings environment variables that configure it */
export async function startServer(settings = {}) {
	if (!existsSync(BINARY)) throw new Error(`build the server first (cargo build): ${BINARY} is missing`);
	const [http, rtmp] = [await freePort(), await freePort()];
	const data = mkdtempSync(join(tmpdir(), 'headwater-e2e-'));
	const options = ['--http', `127.0.0.1:${http}`, '--rtmp', `127.0.0.1:${rtmp}`, '--data', data];
	const env = environment(settings);
	// By name and not by number: browsers make passkeys for names alone.
	const url = `http://localhost:${http}`;
	let printed = '';

	async function launch() {
		const server = spawn(BINARY, ['serve', ...options], { env, stdio: ['ignore', 'pipe', 'inherit'] });
		server.stdout.on('data', (text) => {
			printed += text;
			if (process.env.VERBOSE) process.stdout.write(text);
		});
		await ready(url);
		return server;
	}

	let server = await launch();

	async function terminate() {
		server.kill('SIGTERM');
		if (server.exitCode === null) await once(server, 'exit');
	}

	return {
		url,
		rtmp: `rtmp://127.0.0.1:${rtmp}/stream`,
		/** The one-time link to the wizard, as the server printed it when it started. */
		printedLink() {
			const link = /http\S+\/setup\?token=\S+/.exec(printed)?.[0];
			if (!link) throw new Error(`the server printed no link: ${printed}`);
			return link;
		},
		/** The same link, as the owner of the machine gets it later. */
		async setupLink() {
			const { stdout } = await run(BINARY, ['setup-link', ...options], { env });
			const token = /token=([\w.~-]+)/.exec(stdout)?.[1];
			if (!token) throw new Error(`setup-link printed no link: ${stdout}`);
			return `${url}/setup?token=${token}`;
		},
		/** Ends it as the system does, and starts it again over the same data. */
		async restart() {
			await terminate();
			server = await launch();
		},
		async stop() {
			await terminate();
			rmSync(data, { recursive: true, force: true });
		}
	};
}

/**
 * Sets the server up as the wizard does: everybody may sign up and stream, and no mail is sent unless told otherwise.
 * @param {Awaited<ReturnType<typeof startServer>>} server
 * @param {object} wish parts of the request that are to be others
 */
export async function setUp(server, wish = {}) {
	const token = new URL(await server.setupLink()).searchParams.get('token');
	const answer = await fetch(`${server.url}/api/v1/setup`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', origin: server.url },
		body: JSON.stringify({
			token,
			owner: OWNER,
			server: { name: 'Harbour Club', public_url: null },
			organisation: { name: 'Harbour Club' },
			sign_up: 'open',
			creators: 'all',
			mail: null,
			acme: null,
			...wish
		})
	});
	if (answer.status !== 201) throw new Error(`setup was refused: ${answer.status} ${await answer.text()}`);
}
