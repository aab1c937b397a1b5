import { asOwner } from './people';
import { enter, newChannel, newCreator, newMember, settled, whoMayStream } from './creators';
import { expect, expectAccessible, test } from './support';

function shot(name: string) {
	return { path: `test-results/screens/${name}-${test.info().project.name}.png`, fullPage: true };
}

/** The page has said what it has to say, without a side scroll and by the rules of axe. */
async function looksRight(page: import('@playwright/test').Page, name: string) {
	await settled(page);
	await page.screenshot(shot(name));
	expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(1);
	await expectAccessible(page);
}

test('pages of a creator', async ({ page, publish }) => {
	const creator = await newCreator();
	const channel = await newChannel(creator, 'Harbour cam, evening', {
		description: 'A camera over the old harbour.\n\nWeather: https://example.org/weather.',
		category: 'Nature',
		tags: ['ships', 'sea'],
		language: 'en'
	});
	await enter(page, creator.api);
	for (const [path, name] of [
		[`/c/${channel.handle}`, 'channel-offline'],
		['/studio', 'studio'],
		[`/studio/setup/${channel.stream}`, 'studio-setup'],
		['/studio/streams', 'studio-streams'],
		['/studio/channel', 'studio-channels'],
		[`/studio/channel/${channel.id}`, 'studio-channel'],
		['/browse?all', 'browse']
	]) {
		await page.goto(path as string);
		await looksRight(page, name as string);
	}
	publish(channel.key);
	await page.goto(`/studio/streams/${channel.stream}`);
	await expect(page.getByRole('img', { name: /Graph of Bit rate/ })).toBeVisible({ timeout: 30_000 });
	// A page whose figures grow each second is never idle.
	await page.screenshot(shot('studio-stream'));
	await expectAccessible(page);
});

test('a newcomer’s studio', async ({ page }) => {
	await whoMayStream('request');
	const person = await newMember();
	await enter(page, person.api);
	for (const [path, name] of [
		['/studio', 'studio-new'],
		['/studio/setup', 'studio-setup-none'],
		['/studio/channel', 'studio-channels-none']
	]) {
		await page.goto(path as string);
		await looksRight(page, name as string);
	}
	await whoMayStream('all');
});

test('pages of the server', async ({ page }) => {
	const person = await newMember('Silas');
	await enter(page, await asOwner());
	for (const [path, name] of [
		['/admin', 'admin'],
		['/admin/users', 'admin-users'],
		[`/admin/users/${person.id}`, 'admin-user'],
		['/admin/invitations', 'admin-invitations'],
		['/admin/live', 'admin-live'],
		['/admin/transcoding', 'admin-transcoding'],
		['/admin/audit', 'admin-audit'],
		['/admin/settings', 'admin-settings'],
		['/api/docs', 'api-docs']
	]) {
		await page.goto(path as string);
		await looksRight(page, name as string);
	}
});
