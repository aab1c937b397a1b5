import { defineConfig } from '@playwright/test';
import { desktop, phone } from './screens';

// `looks` is seen on every kind of screen; the behaviour is the same on all of them and tried on one.
const looks = /looks\.spec\.ts/;

export default defineConfig({
	testDir: '.',
	outputDir: '../test-results',
	// Browsers and encoders share the machine: one at a time, or frames are lost for want of a processor.
	workers: 1,
	timeout: 90_000,
	expect: { timeout: 15_000 },
	reporter: 'list',
	use: {
		baseURL: process.env.HEADWATER_URL,
		trace: 'retain-on-failure',
		launchOptions: {
			executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
			args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required']
		}
	},
	projects: [
		{ name: 'behaviour', testIgnore: looks, use: desktop },
		{ name: 'desktop-dark', testMatch: looks, use: { ...desktop, colorScheme: 'dark' } },
		{ name: 'desktop-light', testMatch: looks, use: { ...desktop, colorScheme: 'light' } },
		{ name: 'phone-dark', testMatch: looks, use: { ...phone, colorScheme: 'dark' } },
		{ name: 'phone-light', testMatch: looks, use: { ...phone, colorScheme: 'light' } },
		{
			name: 'phone-sideways',
			testMatch: looks,
			use: { ...phone, viewport: { width: 844, height: 390 }, colorScheme: 'dark' }
		}
	]
});
