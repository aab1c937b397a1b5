// After `vite build`: writes beside the built files
//   preload.txt  one line per file that a route needs first: "ROUTE KIND HREF"; the server turns them into
//                <link> tags, so that the browser fetches them at once instead of one after the other
//   stamp        the hash of the sources that were built
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stamp } from './stamp.js';

const root = join(import.meta.dirname, '..');
const out = process.env.HEADWATER_WEB_OUT ?? join(root, 'build');
/** @typedef {{ file: string, src?: string, imports?: string[], dynamicImports?: string[], css?: string[] }} Chunk */
/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(
	readFileSync(join(root, '.svelte-kit/output/client/.vite/manifest.json'), 'utf8')
);

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
 * @param {Set<string>} lines
 */
function collect(name, seen, lines) {
	if (seen.has(name)) return;
	seen.add(name);
	const chunk = manifest[name];
	if (!chunk) return;
	lines.add(`script /${chunk.file}`);
	for (const css of chunk.css ?? []) lines.add(`style /${css}`);
	for (const next of chunk.imports ?? []) collect(next, seen, lines);
}

// Kit numbers its nodes: 0 the layout, 1 the error page, then the pages in route order.
const routes = {
	home: [key('/nodes/0.js'), key('/nodes/2.js')],
	watch: [key('/nodes/0.js'), key('/nodes/3.js'), key('player/engines/hls.ts')]
};
const fonts = readdirSync(join(out, '_app/immutable/assets')).filter((name) => name.endsWith('.woff2'));
const text = Object.entries(routes).flatMap(([route, keys]) => {
	const lines = new Set(fonts.map((name) => `font /_app/immutable/assets/${name}`));
	/** @type {Set<string>} */
	const seen = new Set();
	for (const name of keys) collect(name, seen, lines);
	return [...lines].map((line) => `${route} ${line}\n`);
});
writeFileSync(join(out, 'preload.txt'), text.join(''));
writeFileSync(join(out, 'stamp'), stamp(root));
