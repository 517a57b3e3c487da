/**
 * The page at `/` and what it loads. They hold nothing of the node's, so they need no token: what the page shows it asks
 * the API for.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isNamed } from './entity-tag.js';
import type { Routes } from './http-listener.js';

/** The page may load its own script and style and ask its own server, and nothing else; nobody may frame it. */
const POLICY = [
  ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
  ["img-src 'self' data:", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"],
]
  .flat()
  .join('; ');

const ASSETS = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/assets/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/assets/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
];

/** `/` and `/assets/*`, read once, now. */
export function pageRoutes(): Routes {
  // A module of the bundle lies as deep as this one; only the build's folder has the page.
  const folder = new URL('../../src/http/page/', import.meta.url);
  const assets = ASSETS.map((asset) => {
    const body = readFileSync(new URL(asset.file, folder));
    return { ...asset, body, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
  });
  return (app) => {
    for (const { path, type, body, tag } of assets) {
      app.get(path, { config: { open: true } }, (request, reply) => {
        // Asked for again each time, and sent again only after another version was installed.
        reply
          .header('cache-control', 'no-cache')
          .header('etag', tag)
          .header('content-security-policy', POLICY)
          .header('referrer-policy', 'no-referrer')
          .header('cross-origin-opener-policy', 'same-origin')
          .header('cross-origin-resource-policy', 'same-origin');
        if (isNamed(request.headers['if-none-match'], tag)) return reply.code(304).send();
        return reply.type(type).send(body);
      });
    }
  };
}
