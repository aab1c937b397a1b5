// Fails where src/lib/api/schema.d.ts is not what `npm run types` makes of docs/api/openapi.json now.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'headwater-types-'));
try {
	const fresh = join(folder, 'schema.d.ts');
	const program = join(root, 'node_modules/openapi-typescript/bin/cli.js');
	execFileSync(process.execPath, [program, '../docs/api/openapi.json', '--output', fresh], {
		cwd: root,
		stdio: ['ignore', 'ignore', 'inherit']
	});
	if (readFileSync(fresh, 'utf8') !== readFileSync(join(root, 'src/lib/api/schema.d.ts'), 'utf8')) {
		console.error(
			'src/lib/api/schema.d.ts is not that of docs/api/openapi.json; run: npm --prefix web run types'
		);
		process.exitCode = 1;
	}
} finally {
	rmSync(folder, { recursive: true });
}
