import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disposition, mediaType } from '../../src/http/media-type.js';

test('what can hold scripts is never shown as what it is', () => {
  for (const name of [
    'a.html',
    'a.HTM',
    'a.svg',
    'a.xhtml',
    'a.xml',
    'a.js',
    'a',
    'a.',
    'a.constructor',
    '.html',
  ]) {
    assert.deepEqual(mediaType(name), { type: 'application/octet-stream', isShown: false }, name);
  }
  assert.deepEqual(mediaType('film.part1.MP4'), { type: 'video/mp4', isShown: true });
  assert.deepEqual(mediaType('a.txt'), { type: 'text/plain; charset=utf-8', isShown: true });
});

test('no name gets out of its header field', () => {
  const hostile = 'a"; filename=evil.exe\r\nX: y\u202e%22é\ud800.txt';
  const header = disposition(hostile, false);
  assert.match(header, /^attachment; filename="[^"\\\r\n;%]*"; filename\*=UTF-8''[\w.%~-]*$/);
  const encoded = /UTF-8''(.*)$/.exec(header)![1]!;
  assert.equal(decodeURIComponent(encoded), hostile.replace('\ud800', '\ufffd'));
  assert.ok(disposition("it's (1)*.mp4", true).endsWith('it%27s%20%281%29%2A.mp4'));
});
