/** Databases on the PostgreSQL server at `TEST_POSTGRES`, whose `test_…` ones are anybody's to remove. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
let databases = 0;

/** A new, empty database: its address. */
export async function newDatabase(server: string): Promise<string> {
	const name = `test_e2e_${process.pid}_${databases++}`;
	await run('psql', ['-X', '-q', '-c', `create database ${name}`, server]);
	const url = new URL(server);
	url.pathname = `/${name}`;
	return url.href;
}
