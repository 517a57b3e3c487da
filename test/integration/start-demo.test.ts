import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sameContent } from '../../bench/lib/random-file.js';
import { tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';

const STARTS_WITHIN_MS = 30_000;

test('the demo shares a sample, and the commands it prints download it and find the daemon', async (t) => {
  const folder = await tempFolder(t);
  const program = new TestProgram(t, folder);
  const free = ['--listen', '127.0.0.1:0', '--tracker-listen', '127.0.0.1:0'];
  const demo = await program.cli('start', '--demo', ...free);
  const typed = await demo.line((line) => line.match(/npx bugtorrent (get .*)/)?.[1], STARTS_WITHIN_MS);
  const watched = await demo.line((line) => line.match(/npx bugtorrent top (.*)/)?.[1], STARTS_WITHIN_MS);
  const status = await program.cli('status', ...watched.split(' '));
  assert.equal((await status.exit(30_000)).code, 0);
  const get = await program.cli(...typed.split(' '), '--no-seed');
  const { code } = await get.exit(30_000);
  if (code !== 0) get.fail(`ended with ${code}`);
  const [sample] = await readdir(join(folder, 'shared'));
  assert.ok(await sameContent(join(folder, 'shared', sample!), join(folder, 'downloads', sample!)));
  assert.equal((await demo.end()).code, 0);
});
