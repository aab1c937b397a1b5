import { expect, test } from 'vitest';
import { ffmpegLine, serverOf } from './ingest';

test('the encrypted address is recommended where there is one', () => {
	expect(serverOf({ rtmps: 'rtmps://a/live', rtmp: 'rtmp://a/live' })).toBe('rtmps://a/live');
	expect(serverOf({ rtmps: null, rtmp: 'rtmp://a/live' })).toBe('rtmp://a/live');
	expect(serverOf({ rtmps: null, rtmp: null })).toBeNull();
});

test('a command shows a place for the key until it is asked for', () => {
	expect(ffmpegLine('test', 'rtmp://a/live')).toMatch(/-f flv 'rtmp:\/\/a\/live\/STREAM_KEY'$/);
	expect(ffmpegLine('file', 'rtmp://a/live', 'k1')).toMatch(/-i 'video.mp4' .*'rtmp:\/\/a\/live\/k1'$/);
});
