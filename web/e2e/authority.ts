/** A certificate authority of our own: Pebble, with the name server that it asks, both on this machine alone. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { freePort } from './server.js';

export interface Authority {
	/** Where its directory is. */
	directory: string;
	/** The file with the root by which its directory is known. */
	ca: string;
	stop(): void;
}

/** Starts one that looks at names at this port of this machine. */
export async function startAuthority(tlsPort: number): Promise<Authority> {
	const folder = mkdtempSync(join(tmpdir(), 'headwater-pebble-'));
	const [ca, key, config] = ['ca.pem', 'key.pem', 'pebble.json'].map((name) => join(folder, name)) as [
		string,
		string,
		string
	];
	const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
	const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
	const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
	execFileSync('openssl', [...request, ...subject, ...leaf, '-keyout', key, '-out', ca], { stdio: 'ignore' });
	const [listen, management, names, namesManagement, http] = [
		await freePort(),
		await freePort(),
		await freePort(),
		await freePort(),
		await freePort()
	];
	const pebble = {
		listenAddress: `127.0.0.1:${listen}`,
		managementListenAddress: `127.0.0.1:${management}`,
		certificate: ca,
		privateKey: key,
		httpPort: http,
		tlsPort,
		ocspResponderURL: '',
		externalAccountBindingRequired: false,
		certificateValidityPeriod: 3600
	};
	writeFileSync(config, JSON.stringify({ pebble }));
	const off = ['-defaultIPv6', '', '-http01', '', '-https01', '', '-tlsalpn01', ''];
	const nameServer = ['-dns01', `127.0.0.1:${names}`, '-management', `127.0.0.1:${namesManagement}`];
	const programs = [
		spawn('pebble-challtestsrv', [...off, ...nameServer], { stdio: 'ignore' }),
		spawn('pebble', ['-config', config, '-dnsserver', `127.0.0.1:${names}`], {
			stdio: 'ignore',
			// It sleeps before it looks unless told otherwise.
			env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0' }
		})
	];
	await listening(listen);
	return {
		directory: `https://localhost:${listen}/dir`,
		ca,
		stop() {
			for (const program of programs) program.kill();
			rmSync(folder, { recursive: true });
		}
	};
}

async function listening(port: number) {
	for (let tries = 0; tries < 100; tries++) {
		const socket = connect(port, '127.0.0.1');
		const open = await once(socket, 'connect').then(
			() => true,
			() => false
		);
		socket.destroy();
		if (open) return;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error('the authority is not ready after 10 s');
}

/** Who gave the certificate that is shown for a name at a port, and for which names. */
export async function shownCertificate(port: number, name: string): Promise<string> {
	const socket = connectTls({ host: '127.0.0.1', port, servername: name, rejectUnauthorized: false });
	await once(socket, 'secureConnect');
	const { issuer, subjectaltname } = socket.getPeerCertificate();
	socket.destroy();
	return `${issuer.CN} ${subjectaltname}`;
}
