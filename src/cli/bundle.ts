/**
 * Part of `npm run build`: joins the program's modules into few files, from which it starts in two thirds of the time
 * (0.20 s instead of 0.28 s to the first request: each module costs about a millisecond to find, read and compile).
 *
 * The bundle lies as deep in `dist` as the modules do, so that paths relative to a module hold in both.
 */
import { chmod } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild-wasm';

const here = fileURLToPath(new URL('.', import.meta.url));
const outdir = fileURLToPath(new URL('../../bundle/cli', import.meta.url));

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
};
await build({
  ...common,
  absWorkingDir: here,
  entryPoints: ['main.js'],
  outdir,
  splitting: true,
  // Benchmarks start programs that lie beside them; these packages look for files of their own, or are rarely needed.
  external: [
    ...['../../bench/*', 'piscina', 'pino', 'zod', 'smol-toml', 'hash-wasm'],
    ...['lmdb', 'ioredis', 'fastify', 'prom-client'],
  ],
  // CommonJS packages in the bundle load Node's modules by `require`.
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
});
// Each thread of the pool loads the first: a tenth of a second of a download that takes two. The second stands for `get`
// in a benchmark, so it has to start as fast.
for (const script of ['../../workers/main.js', '../../bench/lib/get-process.js']) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  await build({ ...common, entryPoints: [path], outfile: path, allowOverwrite: true, packages: 'external' });
}
await chmod(`${outdir}/main.js`, 0o755);
