/** A browser and its system, as people name them, of a User-Agent header. */

const BROWSERS: [RegExp, string][] = [
	[/Edg(e|A|iOS)?\//, 'Edge'],
	[/OPR\//, 'Opera'],
	[/(Firefox|FxiOS)\//, 'Firefox'],
	[/(Chrome|Chromium|CriOS)\//, 'Chrome'],
	[/Safari\//, 'Safari']
];

const SYSTEMS: [RegExp, string][] = [
	[/iPhone/, 'iPhone'],
	[/iPad/, 'iPad'],
	[/Android/, 'Android'],
	[/Windows/, 'Windows'],
	[/Mac OS X|Macintosh/, 'Mac'],
	[/CrOS/, 'ChromeOS'],
	[/Linux/, 'Linux']
];

export function device(userAgent: string | null): string {
	if (!userAgent) return 'Unknown';
	const find = (known: [RegExp, string][]) => known.find(([pattern]) => pattern.test(userAgent))?.[1];
	const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
	if (browser && system) return `${browser} on ${system}`;
	return browser ?? system ?? (userAgent.split(/[\s/]/)[0] || 'Unknown');
}
