#!/usr/bin/env node
// There before the first build, too: npm would remember for good that a checkout had no program for `npx bugtorrent`.
import { existsSync } from 'node:fs';

const main = new URL('../../dist/bundle/cli/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write("bugtorrent: it is not built yet: type 'npm run build'\n");
  process.exitCode = 2;
}
