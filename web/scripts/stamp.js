// A hash over everything the built app depends on. `crates/web-assets/build.rs` computes the same one and
// embeds `web/build` only when its stamp matches: change both together.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const inputs = [
	'package-lock.json',
	'package.json',
	'scripts',
	'src',
	'static',
	'svelte.config.js',
	'tsconfig.json',
	'vite.config.ts'
];

/**
 * Every input file below `root`, as paths with forward slashes.
 * @param {string} root
 * @param {string} path
 * @returns {string[]}
 */
function files(root, path) {
	const full = join(root, path);
	if (!existsSync(full)) return [];
	if (statSync(full).isFile()) return [path];
	return readdirSync(full).flatMap((name) => files(root, `${path}/${name}`));
}

/**
 * The stamp of the sources in `root`: 64 hex digits.
 * @param {string} root
 */
export function stamp(root) {
	const hash = createHash('sha256');
	for (const path of inputs.flatMap((input) => files(root, input)).sort()) {
		const bytes = readFileSync(join(root, path));
		hash.update(`${path}\n${bytes.length}\n`).update(bytes);
	}
	return hash.digest('hex');
}
