import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { BaseClient } from './base-client.js';
import { ipp2p } from './base-fields.js';
import { arep, chunksOf, randomChunks } from './base-frame.js';
import { BasePeer, type BasePeerOptions } from './base-peer.js';
import { breaking, firstThen, honest, impossible, lying, prose, refusing, silent } from './base-script.js';
import { seededBytes, seededRandom } from './files.js';

const content = seededBytes('base peer', 10_000);
const options: BasePeerOptions = { content, partSize: 4096 };

async function peerFor(t: TestContext, more: Partial<BasePeerOptions> = {}): Promise<BasePeer> {
  const peer = await new BasePeer({ ...options, ...more }).start();
  t.after(() => peer.stop());
  return peer;
}

const client = new BaseClient({ tracker: { host: '127.0.0.1', port: 1 }, port: 1, timeoutMs: 300 });
const part = (n: number) => content.subarray(n * 4096, (n + 1) * 4096);

test('the fields and frames of the rig are those of the vectors', async () => {
  const vectors = JSON.parse(await readFile('test/fixtures/vectors.json', 'utf8'));
  for (const { v4, v6, wire } of vectors.ipp2p) assert.equal(ipp2p(v4, v6), wire);
  const sequence = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251)).subarray(8192);
  const lengths = chunksOf(1000)(sequence.length);
  assert.equal(arep(sequence, lengths).toString('hex'), vectors.messages.AREP_part2_chunk1000_hex);
});

test('random chunks sum to the part and hold single bytes', () => {
  const lengths = randomChunks(seededRandom('chunks'))(999_999);
  assert.equal(
    lengths.reduce((sum, length) => sum + length, 0),
    999_999,
  );
  assert.ok(lengths.includes(1) && lengths.every((length) => length > 0 && length <= 99_999));
});

for (const [name, more] of Object.entries({
  'in 4,096-byte chunks': {},
  'in segments of one byte': { segment: 1 },
  'in random chunks': { script: honest(randomChunks(seededRandom('peer'))) },
  'at a limited rate': { bytesPerSecond: 100_000 },
} satisfies Record<string, Partial<BasePeerOptions>>)) {
  test(`a base peer serves every part ${name}, and closes after each`, async (t) => {
    const peer = await peerFor(t, more);
    const closing = new BaseClient({ tracker: peer, port: 1, awaitsClose: true });
    for (const n of [2, 0, 1]) assert.deepEqual(await closing.retp(peer, peer.md5, n), part(n));
    assert.deepEqual(peer.asked, [2, 0, 1]);
    assert.deepEqual(peer.requestsPerConnection, [1, 1, 1]);
    assert.deepEqual(peer.violations, []);
  });
}

test('a base peer refuses what it does not have', async (t) => {
  const peer = await peerFor(t);
  assert.equal(await client.retp(peer, peer.md5, 3), null);
  assert.equal(await client.retp(peer, '0'.repeat(32), 0), null);
  assert.deepEqual(peer.asked, []);
});

test('hostile scripts break the exchange as they say', async (t) => {
  const ask = async (script: BasePeerOptions['script']) => {
    const peer = await peerFor(t, { script: script! });
    return client.retp(peer, peer.md5, 0);
  };
  assert.equal(await ask(refusing), null);
  await assert.rejects(ask(prose), /AREP expected/);
  await assert.rejects(ask(silent), /nothing came/);
  await assert.rejects(ask(breaking(2000, 'hang')), /nothing came/);
  await assert.rejects(ask(breaking(2000, 'close')), /closed \d+ bytes before the end/);
  await assert.rejects(ask(breaking(2000, 'reset')), /closed \d+ bytes before the end/);
  await assert.rejects(ask(impossible.moreChunksThanBytes), /nothing came/);
  await assert.rejects(ask(impossible.countNotANumber), /not a decimal field/);
  await assert.rejects(ask(impossible.chunkPastTheEnd), /nothing came/);
  assert.equal((await ask(impossible.sumTooShort))?.length, 4095);
  assert.equal((await ask(impossible.sumTooLong))?.length, 4097);
});

test('a lying peer lies for the chosen parts only, a repentant one at first only', async (t) => {
  const liar = await peerFor(t, { script: lying((asked) => asked.part === 1) });
  assert.deepEqual(await client.retp(liar, liar.md5, 0), part(0));
  assert.notDeepEqual(await client.retp(liar, liar.md5, 1), part(1));
  const repentant = await peerFor(t, { script: firstThen(1, refusing, honest()) });
  assert.equal(await client.retp(repentant, repentant.md5, 0), null);
  assert.deepEqual(await client.retp(repentant, repentant.md5, 0), part(0));
});

test('requests that a base node could not read are noted', async (t) => {
  const peer = await peerFor(t, { script: silent });
  const request = `RETP${peer.md5}00000000`;
  const socket = connect(peer.port, peer.host);
  await once(socket, 'connect');
  socket.end(`${request}${request}`);
  await once(socket.resume(), 'close');
  assert.match(peer.violations.join(), /not one RETP in one read/);
});

test('a peer that reads on answers pipelined requests in order', async (t) => {
  const peer = await peerFor(t, { after: 'again' });
  const socket = connect(peer.port, peer.host);
  socket.end(`RETP${peer.md5}00000002RETP${peer.md5}00000001`);
  const received: Buffer[] = [];
  for await (const read of socket) received.push(read);
  const frames = [2, 1].map((n) => arep(part(n), chunksOf(4096)(part(n).length)));
  assert.deepEqual(Buffer.concat(received), Buffer.concat(frames));
  assert.deepEqual(peer.requestsPerConnection, [2]);
  assert.equal(peer.maxWaiting, 2);
});
