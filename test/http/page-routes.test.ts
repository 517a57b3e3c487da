import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { AccessTokens } from '../../src/http/access-tokens.js';
import { HttpListener } from '../../src/http/http-listener.js';
import { pageRoutes } from '../../src/http/page-routes.js';
import { atEnd } from '../support/clean-up.js';
import { get } from '../support/http.js';

test('the page needs no token, may load and ask only its own server, and has no script or style inside', async (t) => {
  const tokens = await AccessTokens.open('a-token-of-some-length', null);
  const listen = { host: '127.0.0.1', port: 0 };
  const listener = new HttpListener({ listen, tokens, clock: systemClock, logger: silentLogger });
  listener.add(pageRoutes());
  const { port } = await listener.start();
  atEnd(t, () => listener.stop());
  const url = `http://127.0.0.1:${port}`;

  const page = await get(`${url}/`);
  assert.equal(page.status, 200);
  const policy = String(page.headers['content-security-policy']).split('; ').sort();
  assert.deepEqual(policy, [
    ...["base-uri 'none'", "connect-src 'self'", "default-src 'none'", "form-action 'none'"],
    ...["frame-ancestors 'none'", "img-src 'self' data:", "script-src 'self'", "style-src 'self'"],
  ]);
  assert.doesNotMatch(page.body, /<style|\sstyle=|\son[a-z]+=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  const loaded = [...page.body.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map((match) => match[1]!);
  assert.deepEqual(loaded, ['/assets/style.css', '/assets/page.js']);

  for (const [path, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/assets/style.css', 'text/css; charset=utf-8'],
    ['/assets/page.js', 'text/javascript; charset=utf-8'],
  ] as const) {
    const { status, headers } = await get(`${url}${path}`);
    assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, type, 'no-cache']);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    const etag = String(headers.etag);
    const again = await get(`${url}${path}`, { 'if-none-match': `"other", W/${etag}` });
    assert.deepEqual([again.status, again.body], [304, ''], path);
    assert.equal((await get(`${url}${path}`, { 'if-none-match': '"other"' })).status, 200);
  }
  assert.equal((await get(`${url}/assets/../page-routes.js`)).status, 401);
});
