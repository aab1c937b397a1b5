import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	plugins: [sveltekit()],
	build: { target: 'es2022', chunkSizeWarningLimit: 700 },
	server: {
		// `npm run dev` beside a running server: media and API come from it.
		proxy: Object.fromEntries(
			['/live', '/api', '/time'].map((path) => [
				path,
				process.env.HEADWATER_URL ?? 'http://127.0.0.1:8080'
			])
		)
	},
	test: { include: ['src/**/*.test.ts'], environment: 'node' }
});
