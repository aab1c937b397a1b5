// Runs the end-to-end tests against the real server, set up with an owner, or against the one at HEADWATER_URL (with
// HEADWATER_RTMP). Arguments go to Playwright: `npm run e2e -- watch`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { setUp, startServer } from './server.js';

const web = join(import.meta.dirname, '..');

async function ownServer() {
	const server = await startServer();
	await setUp(server);
	return server;
}

const given = process.env.HEADWATER_URL;
const server = given
	? { url: given, rtmp: process.env.HEADWATER_RTMP ?? 'rtmp://127.0.0.1:1935/stream', stop: async () => {} }
	: await ownServer();
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
