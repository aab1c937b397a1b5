/** An OpenID Connect provider that was not written here: `oidc-provider-mock` of scripts/python-tools.txt. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Provider {
	issuer: string;
	stop(): void;
}

/** Starts one that knows this person; whoever asks may be anybody. */
export async function startProvider(person: { sub: string; email: string; name: string }): Promise<Provider> {
	const tools = execFileSync(join(import.meta.dirname, '../../scripts/python-tools.sh'), {
		encoding: 'utf8'
	});
	const claims = JSON.stringify({ ...person, email_verified: true });
	const program = spawn(
		join(tools.trim(), 'bin/oidc-provider-mock'),
		['--port', '0', '--require-nonce', 'true', '--user-claims', claims],
		{ env: { ...process.env, PYTHONUNBUFFERED: '1' }, stdio: ['ignore', 'ignore', 'pipe'] }
	);
	const lines = createInterface({ input: program.stderr });
	const issuer = await new Promise<string>((resolve, reject) => {
		lines.on('line', (line) => {
			// Between the words and the address may stand a colour.
			const address = /running on .*?(http:\/\/[\d.:]+)/.exec(line)?.[1];
			if (address) resolve(address);
		});
		lines.on('close', () => reject(new Error('the provider does not start')));
	});
	return { issuer, stop: () => program.kill() };
}
