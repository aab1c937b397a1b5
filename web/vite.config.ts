import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

// `npm run dev` beside a running server: media and API come from it.
const server = process.env.HEADWATER_URL ?? 'http://127.0.0.1:8080';

// What every page has, and what pages for viewers are made of. Left alone, it would be thirty files of half a
// kilobyte, which cost more in headers and compress worse than one.
const frame =
	/src\/lib\/(api\/(client|problem|index|live)|clock|confirm|format|list|next|session|sign-out|toasts|messages\/(index|shell)|components\/(AccountMenu|Avatar|Badge|Banner|Button|CopyField|EmptyState|Field|Icon|Loading|Menu|More|Notices|PageHeader|Problem|Still|TextInput|ThemeButton|Toasts)\.)/;

export default defineConfig({
	plugins: [sveltekit()],
	build: {
		target: 'es2022',
		chunkSizeWarningLimit: 700,
		rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'frame', test: frame }] } } }
	},
	server: { proxy: { '/live': server, '/api/v1': server, '/api/openapi.json': server, '/time': server } }
});
