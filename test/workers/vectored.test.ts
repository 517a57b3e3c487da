import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readFully, writeFully } from '../../workers/vectored.js';
import { openFilesBelow } from '../storage/open-files.js';
import { atEnd } from '../support/clean-up.js';
import { seededBytes, tempFolder } from '../support/files.js';

/** More than one system call takes. */
const MANY = 3_000;

async function place(t: TestContext, content: Uint8Array) {
  const folder = await tempFolder(t);
  const path = join(folder, 'file');
  writeFileSync(path, content);
  const fd = openSync(path, 'r+');
  let open = true;
  const close = () => {
    if (open) closeSync(fd);
    open = false;
  };
  atEnd(t, () => {
    close();
    assert.deepEqual(openFilesBelow(folder), []);
  });
  return { path, fd, close };
}

/** Views of 1, 2, 3, … bytes in turn over `bytes`. */
function viewsOf(bytes: Buffer): Buffer[] {
  const views: Buffer[] = [];
  for (let at = 0, length = 1; at < bytes.length; at += length, length = (length % 5) + 1)
    views.push(bytes.subarray(at, at + length));
  return views;
}

test('any number of views is filled in order from a place in the file', async (t) => {
  const content = seededBytes('read', 3 * MANY);
  const { fd } = await place(t, Buffer.concat([Buffer.alloc(50), content]));
  const bytes = Buffer.alloc(content.length);
  const views = viewsOf(bytes);
  assert.ok(views.length > 1_024);
  assert.equal(readFully(fd, views, 50), true);
  assert.ok(bytes.equals(content));
});

test('a file that ends first is told, at its very end as well', async (t) => {
  const { fd } = await place(t, Buffer.alloc(100));
  const views = [Buffer.alloc(60), Buffer.alloc(40)];
  assert.equal(readFully(fd, views, 0), true);
  assert.equal(readFully(fd, views, 1), false);
  assert.equal(readFully(fd, views, 100), false);
});

test('any number of views is written in order to a place in the file', async (t) => {
  const content = seededBytes('written', 3 * MANY);
  const { fd, path } = await place(t, Buffer.alloc(50, 1));
  writeFully(fd, viewsOf(content), 50);
  assert.ok(readFileSync(path).equals(Buffer.concat([Buffer.alloc(50, 1), content])));
});

test("the system's error is thrown with its code", async (t) => {
  const { fd, close } = await place(t, Buffer.alloc(10));
  close();
  assert.throws(() => readFully(fd, [Buffer.alloc(1)], 0), { code: 'EBADF' });
  assert.throws(() => writeFully(fd, [Buffer.alloc(1)], 0), { code: 'EBADF' });
});
