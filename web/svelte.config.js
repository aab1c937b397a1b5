import adapter from '@sveltejs/adapter-static';
import { stamp } from './scripts/stamp.js';

/** @type {import('@sveltejs/kit').Config} */
export default {
	compilerOptions: { runes: true },
	kit: {
		// One shell for every route; the server puts title, preview tags and playback data into it.
		adapter: adapter({
			fallback: 'index.html',
			precompress: true,
			strict: false
		}),
		// The version is a hash of the sources, so that two builds of the same sources are equal.
		version: { name: stamp(import.meta.dirname) },
		alias: { $lib: 'src/lib' }
	}
};
