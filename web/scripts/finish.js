// After `vite build`: writes beside the built files
//   shell.txt  what the server needs to know of the shell, one fact per line:
//                csp script sha256-…     the hash of each inline script, for the Content-Security-Policy
//                ROUTE KIND HREF         a file that the route needs first and the shell does not name yet; the
//                                        server makes <link> tags of them, so that all are fetched at once
//   stamp      the hash of the sources that were built
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stamp } from './stamp.js';

const root = join(import.meta.dirname, '..');
const out = join(root, 'build');
/** @typedef {{ file: string, imports?: string[], css?: string[] }} Chunk */
/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(
	readFileSync(join(root, '.svelte-kit/output/client/.vite/manifest.json'), 'utf8')
);
const shell = readFileSync(join(out, 'index.html'), 'utf8');

/** The manifest's key that ends like this. @param {string} end */
function key(end) {
	const found = Object.keys(manifest).find((name) => name.endsWith(end));
	if (!found) throw new Error(`the build lacks a chunk that the shell preloads: ${end}`);
	return found;
}

/**
 * A chunk, what it imports at once, and their styles.
 * @param {string} name
 * @param {Set<string>} seen
 * @returns {string[]}
 */
function collect(name, seen) {
	const chunk = manifest[name];
	if (seen.has(name) || !chunk) return [];
	seen.add(name);
	const styles = (chunk.css ?? []).map((css) => `style /${css}`);
	const imports = (chunk.imports ?? []).flatMap((next) => collect(next, seen));
	return [`script /${chunk.file}`, ...styles, ...imports];
}

/**
 * The node that Kit made of a layout or page. It numbers them, so the one that imports the file is looked for.
 * @param {string} file
 */
function node(file) {
	const folder = join(root, '.svelte-kit/generated/client-optimized/nodes');
	const found = readdirSync(folder).find((name) =>
		readFileSync(join(folder, name), 'utf8').includes(`/src/routes/${file}`)
	);
	if (!found) throw new Error(`the build has no node for ${file}`);
	return key(`/nodes/${found}`);
}

const layout = node('+layout.svelte');
const routes = {
	app: [layout],
	home: [layout, node('+page.svelte')],
	watch: [layout, node('watch/[name]/+page.svelte'), key('player/engines/hls.ts'), key('player/chrome.ts')]
};
const fonts = readdirSync(join(out, '_app/immutable/assets')).filter((name) => name.endsWith('.woff2'));
const preloads = Object.entries(routes).flatMap(([route, keys]) => {
	/** @type {Set<string>} */
	const seen = new Set();
	const files = [
		...fonts.map((name) => `font /_app/immutable/assets/${name}`),
		...keys.flatMap((name) => collect(name, seen))
	];
	return files
		.filter((file) => !shell.includes(`"${file.split(' ')[1]}"`) || file.startsWith('font'))
		.map((file) => `${route} ${file}`);
});

const hashes = [...shell.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
	([, script]) =>
		`csp script sha256-${createHash('sha256')
			.update(script ?? '')
			.digest('base64')}`
);
writeFileSync(join(out, 'shell.txt'), `${[...hashes, ...preloads].join('\n')}\n`);
writeFileSync(join(out, 'stamp'), stamp(root));
