import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BaseClient, type BaseFile } from '../support/base-client.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';
import { endpoint, foreignClient, ownersOf } from '../support/swarm.js';

const PART = 262_144;
const content = seededBytes('foreign client', 2 * PART + 777);
const file: BaseFile = { md5: md5(content), name: 'Foreign Fruit.bin', size: content.length, partSize: PART };
const part = (n: number) => content.subarray(n * PART, (n + 1) * PART);

/** Our tracker, and our daemon on 127.0.0.2 that shares the file. */
async function ourNodes(t: TestContext) {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  await writeFile(join(folder, 'share', file.name), content);
  const program = new TestProgram(t, folder);
  const { tracker, at } = await program.startTracker();
  const daemon = await program.cli(
    ...['daemon', '--share', 'share', '--state', 'state', '--listen', '127.0.0.2:0', '--tracker', at],
  );
  return { tracker, daemon, at: endpoint(at) };
}

test('another implementation finds, fetches and announces a file from login to logout', async (t) => {
  const { tracker, daemon, at } = await ourNodes(t);
  const waiting = await foreignClient(at, '127.0.0.9', 5009);
  const [owner] = await ownersOf(waiting, file, 1);

  // From here on every answer must come whole in one read, and the server must close after it.
  const client = new BaseClient({ tracker: at, v4: '127.0.0.7', port: 5007, awaitsClose: true });
  const session = await client.login();
  assert.match(session ?? 'refused', /^(?!0{16})[0-9A-Z]{16}$/);
  assert.deepEqual(await client.look('foreign fr'), [file]);
  assert.deepEqual(await client.look('no such file'), []);
  const owners = await client.fchu(file.md5, 3);
  assert.deepEqual(owners, [{ host: '127.0.0.2', port: owner!.port, parts: [0, 1, 2] }]);
  for (const [done, n] of [2, 0, 1].entries()) {
    assert.deepEqual(await client.retp(owner!, file.md5, n), part(n));
    assert.equal(await client.rpad(file.md5, n), done + 1);
  }
  const seen = await waiting.fchu(file.md5, 3);
  assert.ok(
    seen?.some(({ host, port, parts }) => host === '127.0.0.7' && port === 5007 && parts.length === 3),
  );
  assert.deepEqual(await client.logo(), { left: true, parts: 3 });
  assert.equal(await client.look('*'), null);
  assert.equal((await daemon.end()).code, 0);
  assert.equal((await tracker.end()).code, 0);
});

test('another implementation may ask for ten parts at once', async (t) => {
  const { at } = await ourNodes(t);
  const client = await foreignClient(at, '127.0.0.7', 5007);
  const [owner] = await ownersOf(client, file, 1);
  // Ten at once, as other nodes ask.
  const asked = Array.from({ length: 10 }, (_, i) => i % 3);
  const parts = await Promise.all(asked.map((n) => client.retp(owner!, file.md5, n)));
  for (const [i, n] of asked.entries()) assert.deepEqual(parts[i], part(n));
});

test('another implementation registers a file and leaves once somebody else owns its parts', async (t) => {
  const { at } = await ourNodes(t);
  const source = await foreignClient(at, '127.0.0.7', 5007);
  const own = { ...file, md5: md5(Buffer.from('another')), name: 'theirs.bin' };
  assert.equal(await source.addr(own), 3);
  assert.deepEqual(await source.look('THEIRS'), [own]);
  // A source whose parts nobody else has may not leave; once somebody claims them it may.
  assert.deepEqual(await source.logo(), { left: false, parts: 0 });
  const other = await foreignClient(at, '127.0.0.8', 5008);
  for (const n of [0, 1, 2]) await other.rpad(own.md5, n);
  assert.deepEqual(await source.logo(), { left: true, parts: 3 });
});

test('what is malformed, unknown or out of range is closed without a byte, and costs nothing else', async (t) => {
  const { at } = await ourNodes(t);
  const client = await foreignClient(at, '127.0.0.7', 5007);
  const [owner] = await ownersOf(client, file, 1);
  assert.equal(await client.rpad(file.md5, 3), null);
  assert.equal(await client.fchu('f'.repeat(32), 1), null);
  assert.equal(await client.retp(owner!, file.md5, 3), null);
  assert.equal(await client.retp(owner!, 'f'.repeat(32), 0), null);
  assert.equal(await client.retp(at, file.md5, 0), null);
  assert.equal(await client.retp(owner!, 'not hexadecimal at all, no it is', 0), null);
  const stranger = new BaseClient({ tracker: at, v4: '127.0.0.7', port: 5007 });
  stranger.session = 'ZZZZZZZZZZZZZZZZ';
  assert.equal(await stranger.look('*'), null);
  assert.deepEqual(await client.retp(owner!, file.md5, 0), part(0));
  assert.deepEqual(await client.look('Foreign'), [file]);
});
