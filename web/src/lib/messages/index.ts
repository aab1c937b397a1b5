/** Every text of the app in one place, in English; a translation is another object of this shape. */
export const m = {
	brand: 'Headwater',
	skip: 'Skip to content',
	theme: (next: 'dark' | 'light') => `Switch to the ${next} theme`,
	home: {
		title: 'Live now',
		count: (n: number) => (n === 1 ? '1 stream' : `${n} streams`),
		empty: 'Nothing is live yet',
		emptyHint:
			'Point any encoder at this server. The picture appears here as soon as the first frames arrive.',
		unreachable: 'The server does not answer',
		unreachableHint: 'We keep trying. If this stays, check that the server is running.',
		publish: 'Start a stream',
		publishName: (name: string) => `Put “${name}” on air`,
		obs: 'With OBS',
		obsHint: 'Settings › Stream › Service: Custom. Keyframe interval 2 s, CBR, x264 tune zerolatency.',
		obsServer: 'Server',
		obsKey: 'Stream key',
		ffmpeg: 'With ffmpeg',
		ffmpegHint: (name: string) => `A moving test pattern with a tone, as the stream “${name}”.`,
		command: 'Command',
		yours: 'Be the first',
		yoursHint: 'The studio gives you a channel, a stream key and the settings for OBS.'
	},
	viewers: (n: number) => (n === 1 ? 'viewer' : 'viewers'),
	badge: { live: 'Live', away: 'Paused', ended: 'Ended', offline: 'Offline', connecting: 'Connecting' },
	watch: {
		title: (name: string) => `${name} · Headwater`,
		behind: 'behind live',
		latencyHint: 'Measured: the server’s clock minus the time stamp of the picture you see',
		latencyUnknown: 'Latency is measured once the picture moves',
		viewers: (n: number) => (n === 1 ? '1 viewer' : `${compact(n)} viewers`),
		uptime: 'on air for ',
		open: 'Open in another player',
		about: 'Signal',
		size: 'Picture',
		codecs: 'Codecs',
		bitrate: 'Bit rate',
		unknown: 'not known yet',
		shortcuts: 'Keyboard shortcuts',
		stats: 'Stats',
		unmute: 'Tap to unmute',
		settings: 'Quality, sound and latency'
	},
	slate: {
		connecting: 'Connecting…',
		away: 'Stream paused, we keep trying',
		awayHint: 'The picture goes on by itself when the broadcaster is back.',
		trouble: 'Connection trouble, we keep trying',
		troubleHint: 'Nothing to do: the picture goes on by itself.',
		ended: 'The stream has ended',
		endedHint: 'Leave this page open: it starts again when the next broadcast begins.',
		missing: (name: string) => `“${name}” is not live`,
		missingHint: 'Leave this page open: it starts by itself when somebody publishes.',
		unsupported: 'This browser cannot play live video',
		unsupportedHint: 'Open the HLS address below in a player such as VLC.',
		soundAlone: 'Sound only',
		picture: 'Show the picture',
		seeLive: 'See what is live',
		retry: 'Try now'
	},
	settings: {
		quality: 'Quality',
		auto: 'Auto',
		autoNow: (now: string) => `now ${now}`,
		source: (rate: string) => `source, ${rate}`,
		soundAlone: 'Sound only',
		soundAloneHint: 'no picture, least data',
		saver: 'Data saver',
		saverHint: 'Auto stays at 480p or below',
		sound: 'Sound',
		delivery: 'Latency',
		low: 'Low latency',
		lowHint: 'about a second',
		normal: 'Normal',
		normalHint: 'a few seconds, for weak networks',
		dash: 'DASH',
		dashHint: 'the same stream by MPEG-DASH'
	},
	stats: {
		title: 'Stats for nerds',
		close: 'Close stats',
		copy: 'Copy as JSON'
	},
	help: {
		title: 'Keyboard shortcuts',
		close: 'Close',
		rows: [
			['Space or K', 'Play, pause'],
			['M', 'Mute, unmute'],
			['F', 'Full screen'],
			['I', 'Picture in picture'],
			['J or ←', 'Back 10 s or 5 s'],
			['L or →', 'Forward 10 s or 5 s'],
			['End', 'Go to live'],
			['S', 'Stats for nerds'],
			['?', 'This list']
		] as [string, string][]
	},
	copy: {
		copy: 'Copy',
		copied: 'Copied',
		failed: 'Select and copy',
		label: (what: string) => `Copy ${what}`
	},
	error: { title: 'There is no such page', hint: 'The address may be mistyped, or the page has moved.' }
};

function compact(n: number): string {
	return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(n);
}
