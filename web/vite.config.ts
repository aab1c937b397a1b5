import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

// `npm run dev` beside a running server: media and API come from it.
const server = process.env.HEADWATER_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
	plugins: [sveltekit()],
	build: { target: 'es2022', chunkSizeWarningLimit: 700 },
	server: { proxy: { '/live': server, '/api/v1': server, '/api/openapi.json': server, '/time': server } }
});
