import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { VerifyEnding, VerifyPart, VerifyPartsResult } from '../../src/compute/jobs.js';
import { WorkerPool } from '../../src/compute/pool.js';
import { Slab } from '../../src/compute/slab.js';
import { chunksOf, randomChunks } from '../support/base-frame.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, seededRandom, tempFolder } from '../support/files.js';
import { midstatesOf } from '../swarm/midstates.js';
import { landedPart } from '../swarm/payload.js';

interface Vectors {
  readonly saltedMd5: { length: number; v4: string; v6: string; md5: string }[];
  readonly midstates: { length: number; lenPart: number; states: string[]; md5: string }[];
}
const vectors: Vectors = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8'));

const INITIAL = Buffer.from('0123456789abcdeffedcba9876543210', 'hex');
const HEADER = 256;
/** The content of the vectors: byte i is i mod 251. */
const counting = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, i) => i % 251));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A pool of two threads, and a data file and journal for them to write. */
async function bench(t: TestContext, slabBytes = 4_194_304) {
  const folder = await tempFolder(t);
  const slab = new Slab(slabBytes);
  const pool = new WorkerPool(slab, { threads: 2, verifies: true });
  const scratch = slab.stats().usedBytes;
  const paths = { data: join(folder, 'data'), journal: join(folder, 'journal') };
  await Promise.all([writeFile(paths.data, ''), writeFile(paths.journal, Buffer.alloc(HEADER + 64))]);
  const [data, journal] = [await open(paths.data, 'r+'), await open(paths.journal, 'r+')];
  atEnd(t, async () => {
    await Promise.all([data.close(), journal.close()]);
    assert.equal(slab.stats().usedBytes, scratch, 'no slot of a part is left');
    await pool.stop();
    assert.equal(slab.stats().usedBytes, 0);
  });
  return {
    slab,
    paths,
    data,
    fds: { dataFd: data.fd, journalFd: journal.fd },
    run: (parts: VerifyPart[], fds: { dataFd: number; journalFd: number | null }) =>
      pool.run('verifyParts', { ...fds, parts }),
  };
}

type Bench = Awaited<ReturnType<typeof bench>>;

async function outcomesOf({ run, fds }: Bench, parts: VerifyPart[]): Promise<VerifyPartsResult['outcomes']> {
  const result = await run(parts, fds);
  assert.ok(result.ok, JSON.stringify(result));
  return result.outcomes;
}

/** One part of a file, landed in chunks of these lengths; `release` gives its slot back. */
function landed({ slab }: Bench, file: Buffer, part: number, partSize: number, lengths: number[]) {
  const bytes = file.subarray(part * partSize, (part + 1) * partSize);
  const { slot, frame } = landedPart(slab, part, bytes, lengths);
  return { source: { kind: 'frame', frame } as const, release: () => slot.release() };
}

function onDisk({ slab }: Bench, length: number) {
  const slot = slab.acquire(length);
  assert.ok(slot !== null);
  return { source: { kind: 'disk', offset: slot.offset, length } as const, release: () => slot.release() };
}

/** A part's true states before it, and behind it or the MD5 of the file. */
function borders(file: Buffer, partSize: number) {
  const states = Buffer.concat([
    INITIAL,
    midstatesOf(file, partSize),
    createHash('md5').update(file).digest(),
  ]);
  return (border: number) => new Uint8Array(states.subarray(border * 16, border * 16 + 16));
}

const endingOf = (file: Buffer, id = md5(file), suffixes: string[] = []): VerifyEnding => ({
  fileSize: file.length,
  md5: new Uint8Array(Buffer.from(id, 'hex')),
  suffixes,
});

describe('a worker that verifies parts', () => {
  it('finds the midstates and the MD5 of the protocol vectors, and stores and marks the parts', async (t) => {
    const given = await bench(t);
    for (const [n, { length, lenPart, states, md5: id }] of vectors.midstates.entries()) {
      const marked = HEADER + 8 * n;
      const file = counting(length);
      const starts = [hex(INITIAL), ...states];
      const parts = starts.map((_, part) => {
        const size = Math.min(lenPart, length - part * lenPart);
        return landed(given, file, part, lenPart, chunksOf(1000)(size));
      });
      const outcomes = await outcomesOf(
        given,
        parts.map(({ source }, part) => ({
          source,
          position: part * lenPart,
          mark: marked + part,
          starts: new Uint8Array(Buffer.from(starts[part]!, 'hex')),
          ending: part === states.length ? endingOf(file) : null,
        })),
      );
      assert.deepEqual(
        outcomes.map(({ ends }) => hex(ends)),
        [...states, id],
      );
      for (const { release } of parts) release();
      assert.ok((await readFile(given.paths.data)).subarray(0, length).equals(file));
      const marks = (await readFile(given.paths.journal)).subarray(marked, marked + 8);
      assert.deepEqual(
        [...marks],
        Array.from({ length: 8 }, (_, part) => (part < parts.length ? 1 : 0)),
      );
    }
  });

  it('hashes parts of any length, in any chunks, from several states at once, landed or on disk', async (t) => {
    const given = await bench(t);
    const random = seededRandom('verify');
    const partSize = 64 * 700;
    for (const length of [partSize * 5, partSize * 5 + 1, partSize * 5 - 1, partSize * 4 + 63]) {
      const file = seededBytes(`verified ${length}`, length);
      const border = borders(file, partSize);
      const last = Math.ceil(length / partSize) - 1;
      const slots: { release(): void }[] = [];
      const wrong = new Uint8Array(seededBytes('any state', 16));
      const jobs = (kind: 'frame' | 'disk') =>
        Array.from({ length: last + 1 }, (_, part): VerifyPart => {
          const size = Math.min(partSize, length - part * partSize);
          const place =
            kind === 'disk'
              ? onDisk(given, size)
              : landed(given, file, part, partSize, randomChunks(random)(size));
          slots.push(place);
          return {
            source: place.source,
            position: part * partSize,
            mark: HEADER + part,
            starts: new Uint8Array(Buffer.concat([wrong, border(part)])),
            ending: part === last ? endingOf(file) : null,
          };
        });
      const arrived = await outcomesOf(given, jobs('frame'));
      const again = await outcomesOf(given, jobs('disk'));
      for (const [part, { ends, salted }] of arrived.entries()) {
        assert.equal(hex(ends.subarray(16)), hex(border(part + 1)), `part ${part} of ${length} B`);
        assert.notEqual(hex(ends.subarray(0, 16)), hex(border(part + 1)));
        assert.deepEqual(salted, part === last ? [false, false] : []);
        assert.deepEqual(again[part], { ends, salted });
      }
      for (const { release } of slots) release();
      assert.ok((await readFile(given.paths.data)).subarray(0, length).equals(file));
    }
  });

  it('knows the salted ids of the vectors, from the right state and with the right addresses only', async (t) => {
    const given = await bench(t);
    for (const { length, v4, v6, md5: id } of vectors.saltedMd5) {
      const file = counting(length);
      for (const partSize of [4096, 1024, 64]) {
        const last = Math.ceil(length / partSize) - 1;
        const place = landed(given, file, last, partSize, [length - last * partSize]);
        const salted = async (suffixes: string[]) => {
          const part: VerifyPart = {
            source: place.source,
            position: last * partSize,
            mark: HEADER,
            starts: new Uint8Array(Buffer.concat([borders(file, partSize)(last), INITIAL])),
            ending: endingOf(file, id, suffixes),
          };
          const [outcome] = await outcomesOf(given, [part]);
          assert.equal(
            hex(outcome!.ends.subarray(0, 16)),
            md5(file),
            'the ends are those without an addition',
          );
          return outcome!.salted;
        };
        assert.deepEqual(await salted([]), [false, false]);
        assert.deepEqual(await salted(['10.0.0.7', `${v4}${v4}`, v6]), [false, false]);
        assert.deepEqual(await salted(['10.0.0.7', `${v4}${v6}`]), [true, false]);
        place.release();
      }
    }
  });

  it('knows salted ids whatever the length of the last part and of the addresses', async (t) => {
    const given = await bench(t);
    const random = seededRandom('salted');
    for (const tail of [1, 54, 55, 56, 63, 64, 65, 119, 120, 128]) {
      const file = seededBytes('salted', 128 + tail);
      const address = '172.016.001.002'.slice(0, 7 + Math.floor(random() * 8));
      const suffixes = [address, `${address}${'fd77:0:'.repeat(5)}1`, 'x'.repeat(54)];
      for (const suffix of suffixes) {
        const id = createHash('md5').update(file).update(suffix).digest('hex');
        const place = landed(given, file, 1, 128, [tail]);
        const [outcome] = await outcomesOf(given, [
          {
            source: place.source,
            position: 128,
            mark: HEADER,
            starts: borders(file, 128)(1),
            ending: endingOf(file, id, suffixes),
          },
        ]);
        assert.deepEqual(outcome!.salted, [true], `${tail} B and "${suffix}"`);
        place.release();
      }
    }
  });

  it('writes nothing for parts that are on disk, and marks nothing without a journal', async (t) => {
    const given = await bench(t);
    const file = seededBytes('theirs', 3000);
    await writeFile(given.paths.data, file);
    const place = onDisk(given, 1024);
    const before = await readFile(given.paths.journal);
    const part: VerifyPart = {
      source: place.source,
      position: 1024,
      mark: HEADER,
      starts: borders(file, 1024)(1),
      ending: null,
    };
    const result = await given.run([part], { dataFd: given.fds.dataFd, journalFd: null });
    assert.ok(result.ok);
    assert.equal(hex(result.outcomes[0]!.ends), hex(borders(file, 1024)(2)));
    place.release();
    const arrived = landed(given, file, 0, 1024, [1024]);
    const landing = { ...part, source: arrived.source, position: 0, starts: new Uint8Array(INITIAL) };
    assert.ok((await given.run([landing], { dataFd: given.fds.dataFd, journalFd: null })).ok);
    arrived.release();
    assert.ok((await readFile(given.paths.data)).equals(file));
    assert.ok((await readFile(given.paths.journal)).equals(before));
  });

  it('says so when the data file is shorter than its parts, and when it cannot be written', async (t) => {
    const given = await bench(t);
    const file = seededBytes('short', 1024);
    const [arrived, missing] = [landed(given, file, 0, 1024, [1024]), onDisk(given, 1024)];
    const part = (source: VerifyPart['source'], position: number): VerifyPart => ({
      source,
      position,
      mark: HEADER,
      starts: new Uint8Array(INITIAL),
      ending: null,
    });
    assert.ok((await given.run([part(arrived.source, 0)], given.fds)).ok);
    const short = await given.run([part(missing.source, 512)], given.fds);
    assert.ok(!short.ok && /shorter/.test(short.detail), JSON.stringify(short));
    const readOnly = await open(given.paths.data, 'r');
    const refused = await given.run([part(arrived.source, 0)], { ...given.fds, dataFd: readOnly.fd });
    await readOnly.close();
    assert.ok(!refused.ok && refused.code === 'EBADF', JSON.stringify(refused));
    arrived.release();
    missing.release();
  });
});
