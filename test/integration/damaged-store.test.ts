import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sharedFile } from '../contracts/tracker-values.js';
import { tempFolder } from '../support/files.js';
import { listening, TestProgram } from '../support/process.js';
import { loggedIn, openKept } from '../tracker/kept-store.js';

const EXIT_WITHIN_MS = 20_000;
/** Of LMDB's own form: where a page has what, and a node in it. */
const PAGE = { size: 4096, head: 24, flags: 18, leaf: 2, pointersEnd: 20 } as const;
const LENGTH_HIGH = 2;

/** Each record says that it is a gigabyte longer. */
function lengthened(data: Buffer): Buffer {
  for (let page = 0; page < data.length; page += PAGE.size) {
    if (data.readUInt16LE(page + PAGE.flags) !== PAGE.leaf) continue;
    const pointers = data.readUInt16LE(page + PAGE.pointersEnd);
    for (let at = 0; at < pointers; at += 2) {
      const node = page + PAGE.head + data.readUInt16LE(page + PAGE.head + at);
      data.writeUInt16LE(0x3fff, node + LENGTH_HIGH);
    }
  }
  return data;
}

test('damage that ends the process without a word is named by the next start', async (t) => {
  const folder = await tempFolder(t);
  const [kept, file] = [join(folder, 'kept'), join(folder, 'kept', 'data.mdb')];
  const store = await openKept(t, kept);
  const source = await loggedIn(store, 1);
  for (let n = 0; n < 500; n += 1) await store.addFile(source, sharedFile(n, `file ${n}`));
  await store.stop();
  const whole = await readFile(file);
  const program = new TestProgram(t, folder);
  const start = () => program.cli('tracker', '--listen', '127.0.0.1:0', '--store', `lmdb:${kept}`);

  await writeFile(file, lengthened(Buffer.from(whole)));
  const first = await start();
  assert.notEqual((await first.exit(EXIT_WITHIN_MS)).signal, null);
  assert.doesNotMatch(first.stderr.all.join(''), /damaged/);
  const second = await start();
  assert.notEqual((await second.exit(EXIT_WITHIN_MS)).signal, null);
  const told = second.stderr.all.join('');
  assert.match(told, /the file is most likely damaged: put back a copy of the folder, or remove it/);
  assert.ok(told.includes(file), told);

  await writeFile(file, whole);
  const third = await start();
  await listening(third, 'tracker');
  third.kill('SIGKILL');
  await third.exit(EXIT_WITHIN_MS);
  const fourth = await start();
  await listening(fourth, 'tracker');
  assert.doesNotMatch(fourth.stderr.all.join(''), /damaged/);
});
