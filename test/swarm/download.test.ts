import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { seededBytes } from '../support/files.js';
import { type Behaviour, DownloadRig, isAway, isSilent, refuses, sends } from './download-rig.js';

const content = seededBytes('downloaded', 40 * 1000 - 321);
const honest = sends(content);
const PARTS = 40;

/** The content with some parts wrong. */
function wrongIn(...parts: number[]): Buffer {
  const bytes = Buffer.from(content);
  for (const part of parts) bytes[part * 1000 + 5]! ^= 1;
  return bytes;
}

const sorted = (parts: Iterable<number>) => [...parts].sort((a, b) => a - b);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

/** Does as `first` for so many requests, and then as `second`. */
function after(count: number, first: Behaviour, second: Behaviour): Behaviour {
  let left = count;
  return (request) => (left-- > 0 ? first : second)(request);
}

describe('a download', () => {
  it('takes the file from all its owners at once and proves it by its MD5', async () => {
    const rig = new DownloadRig({ content, peers: [honest, honest, honest] }).start();
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.disk.data.equals(content));
    rig.assertMarked();
    assert.deepEqual(sorted(rig.owned), numbers(0, PARTS));
    for (const { asked } of rig.links) assert.ok(asked.length > 4);
    assert.deepEqual(rig.download.snapshot(), {
      bytes: content.length,
      fetched: content.length,
      peers: 0,
      parts: PARTS,
    });
    assert.equal(rig.disk.bytesReadBack, 0);
  });

  it('fetches only what is missing, and verifies what was there', async () => {
    const earlier = [0, 1, 5, 6, 7, 39];
    const rig = new DownloadRig({ content, peers: [honest], earlier }).start();
    assert.equal(rig.download.snapshot().bytes, 5_679);
    assert.equal(await rig.proof(), 'md5');
    const missing = numbers(0, PARTS).filter((part) => !earlier.includes(part));
    assert.deepEqual(sorted(rig.links[0]!.asked), missing);
    assert.deepEqual(sorted(rig.owned), numbers(0, PARTS));
    rig.assertMarked(earlier);
    assert.equal(rig.download.snapshot().fetched, missing.length * 1000);
  });

  it('only verifies when every part is there', async () => {
    const rig = new DownloadRig({ content, peers: [], earlier: numbers(0, PARTS) }).start();
    assert.equal(await rig.proof(), 'md5');
    assert.equal(rig.disk.bytesReadBack, content.length);
  });

  it('of an empty file needs nobody', async () => {
    const rig = new DownloadRig({ content: Buffer.alloc(0), peers: [] }).start();
    assert.equal(await rig.proof(), 'md5');
  });

  it('takes parts from owners that appear while it runs', async () => {
    const rig = new DownloadRig({ content, peers: [after(3, honest, refuses), honest] });
    const late = rig.owners.pop()!;
    rig.start();
    await rig.pass(5_000);
    assert.ok(rig.stored.owned <= 3);
    rig.owners.push(late);
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.links[1]!.asked.length >= PARTS - 3);
  });

  it('serves its parts as soon as they are stored', async () => {
    const rig = new DownloadRig({ content, peers: [after(2, honest, isSilent)] }).start();
    await rig.pass(1_000);
    assert.equal(rig.stored.owned, 2);
    for (const part of numbers(0, PARTS))
      assert.equal(rig.download.has(part as never), rig.stored.has(part), `part ${part}`);
    rig.interrupt();
    await rig.error();
  });

  it('does not look at the MD5 when it need not', async () => {
    const rig = new DownloadRig({
      content: wrongIn(3),
      id: '0'.repeat(32),
      peers: [sends(wrongIn(3))],
      verify: false,
    });
    assert.equal(await rig.start().proof(), 'unproven');
    assert.equal(rig.disk.tasks.hash, 0);
  });

  it('keeps to the download limit', async () => {
    let taken = 0;
    const limit = {
      slice: 250,
      delay: (bytes: number) => {
        taken += bytes;
        return bytes;
      },
    };
    const rig = new DownloadRig({ content, peers: [honest], limit }).start();
    await rig.pass(3_000);
    assert.ok(taken <= 4 * (3_000 + 250), `${taken} B came in 3 s over four connections of 1 B/ms`);
    assert.equal(await rig.proof(), 'md5');
  });
});

describe('a download with little memory', () => {
  /** Four parts fill the slab. */
  const large = seededBytes('large', 12 * 16_000);
  const little = { content: large, partSize: 16_000, slabBytes: 65_536 };

  it('never takes more than there is', async () => {
    const rig = new DownloadRig({ ...little, peers: [sends(large, 16_000), sends(large, 16_000)] }).start();
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.cache.stats().waits > 0);
  });

  it('goes on when all of it holds parts that wait for the hash, and the next one to hash has no room', async () => {
    const answer = sends(large, 16_000);
    const waiting: (() => void)[] = [];
    const firstPartLast: Behaviour = (request) => {
      if (request.part > 0) answer(request);
      else waiting.push(() => answer(request));
    };
    const rig = new DownloadRig({ ...little, peers: [firstPartLast, firstPartLast] }).start();
    await rig.pass(1_000);
    for (const late of waiting) late();
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.disk.data.equals(large));
  });
});

describe('a download that cannot go on', () => {
  it('ends when it is interrupted, and what is stored stays', async () => {
    const rig = new DownloadRig({ content, peers: [after(9, honest, isSilent)] }).start();
    await rig.pass(1_000);
    rig.interrupt();
    const error = await rig.error();
    assert.deepEqual([error.trouble, error.code], ['interrupted', 'INTERRUPTED']);
    assert.equal(rig.stored.owned, 9);
    rig.assertMarked();
    assert.deepEqual(sorted(rig.owned), [...rig.stored]);
  });

  it('ends at once when it was interrupted before', async () => {
    const rig = new DownloadRig({ content, peers: [honest] });
    rig.interrupt();
    rig.start();
    assert.equal((await rig.error()).trouble, 'interrupted');
    assert.equal(rig.clock.now(), 0);
  });

  it('waits for what is being written before it ends', async () => {
    const rig = new DownloadRig({ content, peers: [honest] }).start();
    rig.disk.hold('store');
    await rig.settle();
    rig.interrupt();
    await rig.settle();
    assert.equal(rig.isOver, false);
    rig.disk.letGo('store');
    assert.equal((await rig.error()).trouble, 'interrupted');
    rig.assertMarked();
  });

  it('is stalled when no byte came for 120 s', async () => {
    const rig = new DownloadRig({ content, peers: [after(9, honest, isSilent)] }).start();
    await rig.pass(119_500);
    assert.equal(rig.isOver, false);
    const error = await rig.error();
    assert.deepEqual([error.trouble, error.code], ['stalled', 'STALLED']);
    assert.match(error.message, /^no byte arrived for 120 s; the same command goes on/);
    assert.equal(rig.clock.now(), 120_000);
  });

  it('has nobody to download from when the trackers name nobody for 5 s', async () => {
    const rig = new DownloadRig({ content, peers: [] }).start();
    await rig.pass(4_500);
    assert.equal(rig.isOver, false);
    const error = await rig.error();
    assert.deepEqual([error.trouble, error.code], ['network', 'NO_OWNER']);
    assert.match(error.message, /^no peer owns it right now; try again/);
    assert.equal(rig.clock.now(), 5_000);
  });

  it('waits for an owner that logs in within these 5 s', async () => {
    const rig = new DownloadRig({ content, peers: [honest] });
    const late = rig.owners.pop()!;
    rig.start();
    await rig.pass(3_000);
    rig.owners.push(late);
    assert.equal(await rig.proof(), 'md5');
  });

  it('does not take a tracker that is slow or away for one that names nobody', async () => {
    const away = new DownloadRig({
      content,
      peers: [],
      findOwners: () => Promise.reject(new Error('away')),
    }).start();
    await away.pass(29_500);
    assert.equal(away.isOver, false);
    const error = await away.error();
    assert.deepEqual([error.trouble, error.code], ['network', 'NO_OWNER']);
    assert.match(error.message, /^no tracker says who owns it; /);

    let answer = () => {};
    const slow: DownloadRig = new DownloadRig({
      content,
      peers: [honest],
      findOwners: () =>
        new Promise((resolve) => {
          answer = () => resolve(slow.owners);
        }),
    }).start();
    await slow.pass(12_000);
    answer();
    assert.equal(await slow.proof(), 'md5');
  });

  it('has nobody to download from when no owner could be reached for 30 s, or none answered for 45 s', async () => {
    for (const { peers, ms } of [
      { peers: [isAway, isAway], ms: 30_000 },
      { peers: [refuses], ms: 30_000 },
      { peers: [isSilent], ms: 45_000 },
    ]) {
      const rig = new DownloadRig({ content, peers }).start();
      await rig.pass(ms - 500);
      assert.equal(rig.isOver, false);
      const error = await rig.error();
      assert.deepEqual([error.trouble, error.code], ['network', 'NO_OWNER']);
      assert.match(error.message, /^none of its owners could be reached; try again/);
      assert.ok(rig.clock.now() >= ms && rig.clock.now() <= ms + 1_000, 'an attempt under way is waited for');
    }
  });

  it('goes on without an owner that goes away', async () => {
    const rig = new DownloadRig({
      content,
      peers: [after(5, honest, isAway), isAway, refuses, honest],
    }).start();
    assert.equal(await rig.proof(), 'md5');
  });
});

describe('a download whose disk fails', () => {
  const failure = (code: string) => ({ ok: false, code, detail: `${code}, write` }) as const;

  it('says in one line that the disk is full, and what to do', async () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const rig = new DownloadRig({ content, peers: [honest] }).start();
      rig.disk.failing.store = failure(code);
      const error = await rig.error();
      assert.deepEqual([error.trouble, error.code], ['disk', code]);
      assert.equal(
        error.message,
        'the disk is full: free some space and give the same command again; what is stored is kept',
      );
      assert.equal(rig.stored.owned, 0);
    }
  });

  it('keeps what was stored before', async () => {
    const rig = new DownloadRig({ content, peers: [after(10, honest, isSilent)] }).start();
    await rig.pass(1_000);
    rig.disk.failing.store = failure('EIO');
    for (const request of [...rig.links[0]!.requests]) honest(request);
    const error = await rig.error();
    assert.match(
      error.message,
      /^cannot write what was downloaded \(EIO, write\): give the same command again/,
    );
    assert.equal(rig.stored.owned, 10);
    rig.assertMarked();
  });

  it('says so as soon as the hash cannot read back what was stored', async () => {
    const rig = new DownloadRig({ content, peers: [isSilent], earlier: [0, 1, 2] });
    rig.disk.failing.hash = failure('EIO');
    rig.start();
    await rig.settle();
    const error = await rig.error();
    assert.deepEqual([error.trouble, error.code], ['disk', 'EIO']);
    assert.match(error.message, /^cannot read back what was downloaded/);
    assert.equal(rig.clock.now(), 0);
  });
});

describe('a download whose MD5 does not hold', () => {
  const long = seededBytes('long', 400 * 1000 - 7);
  const garbage = (seed: string) => sends(seededBytes(seed, long.length));

  /** Of ten owners the `liars` send garbage; how much more than the file was fetched, in percent. */
  async function extra(liars: ReadonlyMap<number, Behaviour>): Promise<number> {
    const peers = numbers(0, 10).map((n) => liars.get(n) ?? sends(long));
    const rig = new DownloadRig({ content: long, peers }).start();
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.disk.data.equals(long));
    assert.equal(rig.download.stats().banned, liars.size, 'the liars, and nobody else');
    const { downloads, bans, parts, payload } = rig.counts.stats();
    assert.deepEqual([downloads, bans], [0, { framing: 0, content: liars.size }]);
    assert.equal(parts.verified, 400);
    assert.ok(payload >= long.length);
    const { fetchedBytes, wastedBytes } = rig.download.stats();
    return ((fetchedBytes + wastedBytes) / long.length - 1) * 100;
  }

  it('takes the parts of one liar in ten from others, for at most 110 % more', async (t) => {
    for (const liar of [0, 4, 9]) {
      const percent = await extra(new Map([[liar, garbage('lie')]]));
      t.diagnostic(`${percent.toFixed(1)} % more`);
      assert.ok(percent <= 110, `${percent} %`);
    }
  });

  it('does so when two of ten agree, and when they lie each in its own way', async (t) => {
    for (const [one, two] of [
      ['lie', 'lie'],
      ['lie', 'another'],
    ] as const) {
      const percent = await extra(
        new Map([
          [2, garbage(one)],
          [7, garbage(two)],
        ]),
      );
      t.diagnostic(`${percent.toFixed(1)} % more`);
      assert.ok(percent <= 110, `${percent} %`);
    }
  });

  it('fetches an id that fits no form no more than twice, however many owners agree', async () => {
    const rig = new DownloadRig({ content, id: 'f'.repeat(32), peers: Array(10).fill(honest) }).start();
    assert.equal((await rig.error()).code, 'UNVERIFIABLE');
    const { fetchedBytes, wastedBytes, banned } = rig.download.stats();
    assert.ok(fetchedBytes + wastedBytes <= 2 * content.length);
    assert.equal(banned, 0);
  });

  it('takes the parts of a liar from others', async () => {
    const liar = sends(wrongIn(...numbers(0, PARTS)));
    const rig = new DownloadRig({ content, peers: [honest, liar, honest] }).start();
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.disk.data.equals(content));
  });

  it('takes all from the one honest owner when two lie', async () => {
    const liars = [sends(wrongIn(...numbers(0, 30))), sends(wrongIn(...numbers(10, PARTS)))];
    const rig = new DownloadRig({ content, peers: [...liars, honest] }).start();
    assert.equal(await rig.proof(), 'md5');
    assert.ok(rig.disk.data.equals(content));
  });

  it('replaces wrong parts of an earlier run', async () => {
    const rig = new DownloadRig({ content, peers: [honest], earlier: [3, 4] });
    rig.disk.data[3_500]! ^= 1;
    assert.equal(await rig.start().proof(), 'md5');
    assert.ok(rig.disk.data.equals(content));
    assert.equal(rig.links[0]!.asked.length, PARTS - 2 + 2);
  });

  it('knows salted ids by the addresses of the owners', async () => {
    const { saltedMd5 } = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
      saltedMd5: { length: number; v4: string; v6: string; md5: string }[];
    };
    for (const { length, v4, v6, md5: id } of saltedMd5) {
      const salted = Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));
      const rig = new DownloadRig({ content: salted, partSize: 4096, id, peers: [sends(salted, 4096)] });
      rig.owners[0] = { ...rig.owners[0]!, address: { v4, v6, port: 5000 } };
      assert.equal(await rig.start().proof(), 'salted-md5');
      assert.equal(rig.links[0]!.asked.length, Math.ceil(length / 4096), 'no second copy');
    }
  });

  it('gives up when every owner was tried, and keeps the data', async () => {
    for (const peers of [[honest], [honest, honest]]) {
      const rig = new DownloadRig({ content, id: 'f'.repeat(32), peers }).start();
      const error = await rig.error();
      assert.deepEqual([error.trouble, error.code], ['verification', 'UNVERIFIABLE']);
      assert.match(error.message, /^no owner has a file whose MD5 is f{32}: /);
      assert.ok(rig.disk.data.equals(content));
      assert.ok(rig.stored.isComplete);
    }
  });

  it('gives up on owners that send nothing any more after 20 s', async () => {
    const rig = new DownloadRig({
      content,
      id: 'f'.repeat(32),
      peers: [after(20, honest, isSilent), honest],
    }).start();
    assert.equal((await rig.error()).code, 'UNVERIFIABLE');
    assert.ok(rig.clock.now() <= 100_000, `after ${rig.clock.now()} ms`);
  });

  it('forgets frames it has cached for others of parts that were wrong', async () => {
    const rig = new DownloadRig({ content, peers: [sends(wrongIn(...numbers(0, PARTS))), honest] }).start();
    const slot = rig.slab.acquire(1000)!;
    rig.cache.keep(`${rig.md5}:2`, slot);
    slot.release();
    assert.equal(await rig.proof(), 'md5');
    assert.equal(rig.cache.stats().parts, 0);
  });

  it('can be interrupted while it fetches parts again, and while it hashes again', async () => {
    const liar = sends(wrongIn(...numbers(0, PARTS)));
    const fetching = new DownloadRig({ content, peers: [liar, after(PARTS, honest, isSilent)] }).start();
    await fetching.pass(10_000, () => fetching.stored.isComplete);
    await fetching.pass(1_000);
    assert.equal(fetching.isOver, false);
    fetching.interrupt();
    assert.equal((await fetching.error()).trouble, 'interrupted');

    const hashing = new DownloadRig({ content, peers: [liar, honest] }).start();
    while (hashing.disk.tasks.compare === 0) await setImmediate();
    hashing.disk.hold('hash');
    await hashing.settle();
    hashing.interrupt();
    await hashing.settle();
    assert.equal(hashing.isOver, false, 'the file is still read');
    hashing.disk.letGo('hash');
    assert.equal((await hashing.error()).trouble, 'interrupted');
    const { hash } = hashing.disk.tasks;
    await hashing.settle();
    for (let left = 10; left > 0; left--) await setImmediate();
    assert.equal(hashing.disk.tasks.hash, hash, 'nothing is read afterwards');
  });
});
