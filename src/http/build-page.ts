/** Part of `npm run build`: joins the page's modules into one script, and puts it beside its document and its style. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild-wasm';

const source = fileURLToPath(new URL('../../../src/http/page/', import.meta.url));
const target = fileURLToPath(new URL('./page/', import.meta.url));

await build({
  absWorkingDir: source,
  entryPoints: { page: 'main.ts' },
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  logLevel: 'warning',
});
for (const name of ['index.html', 'style.css']) copyFileSync(`${source}${name}`, `${target}${name}`);
