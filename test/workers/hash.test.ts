import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HashSliceJob, HashSliceResult, JobFailure } from '../../src/compute/jobs.js';
import { type FileIdentity, identityOf } from '../../src/model/file-identity.js';
import { hashSlice } from '../../workers/hash.js';
import { openFilesBelow } from '../storage/open-files.js';
import { md5, seededBytes, seededRandom, tempFolder } from '../support/files.js';

interface MidstateVector {
  length: number;
  lenPart: number;
  states: string[];
  md5: string;
}

const vectors = JSON.parse(readFileSync('test/fixtures/vectors.json', 'utf8')) as {
  midstates: MidstateVector[];
  md5: { length: number; md5: string }[];
};

/** The content of the vectors: byte i is i mod 251. */
const counting = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, i) => i % 251));
const identity = async (path: string): Promise<FileIdentity> =>
  identityOf(await stat(path, { bigint: true }));

async function hashWhole(path: string, partSize: number, borders: readonly number[] = []) {
  const id = await identity(path);
  const cuts = [0, ...borders, id.size];
  const states: string[] = [];
  let saved: Uint8Array | null = null;
  let last: HashSliceResult | undefined;
  for (let slice = 1; slice < cuts.length; slice++) {
    const job = { path, identity: id, from: cuts[slice - 1]!, to: cuts[slice]!, partSize, saved };
    last = succeeded(await hashSlice({ ...job, last: slice === cuts.length - 1 }));
    saved = last.saved;
    const hex = Buffer.from(last.midstates).toString('hex');
    states.push(...(hex.match(/.{32}/g) ?? []));
  }
  return { md5: last?.md5, states };
}

function succeeded(result: HashSliceResult | JobFailure): HashSliceResult {
  assert.ok(result.ok, JSON.stringify(result));
  return result;
}

test('the midstates and the MD5 are those of the protocol vectors, however the file is sliced', async (t) => {
  const folder = await tempFolder(t);
  for (const vector of vectors.midstates) {
    const path = join(folder, `${vector.length}`);
    await writeFile(path, counting(vector.length));
    for (const borders of [[], [4096], [1], [64, 4095, 4097], [8191]]) {
      const whole = await hashWhole(path, vector.lenPart, borders);
      assert.deepEqual(
        whole,
        { md5: vector.md5, states: vector.states },
        `${vector.length} cut at ${borders}`,
      );
    }
  }
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a file of any length hashes as the vectors say, the empty one too', async (t) => {
  const folder = await tempFolder(t);
  for (const vector of vectors.md5) {
    const path = join(folder, `${vector.length}`);
    await writeFile(path, counting(vector.length));
    assert.equal((await hashWhole(path, 262_144)).md5, vector.md5);
  }
});

test('the midstate at a part border depends on the bytes before it alone', async (t) => {
  const path = join(await tempFolder(t), 'file');
  const partSize = 262_144;
  const content = seededBytes('chain', 3 * partSize + 5000);
  await writeFile(path, content);
  const { states } = await hashWhole(path, partSize, [700_000]);
  const prefixes = await Promise.all(
    [1, 2, 3].map(async (parts) => {
      const prefix = `${path}.${parts}`;
      await writeFile(prefix, content.subarray(0, parts * partSize + 1));
      return (await hashWhole(prefix, partSize)).states.at(-1);
    }),
  );
  assert.deepEqual(states, prefixes);
});

test('slices at random borders give the same as one slice', async (t) => {
  const path = join(await tempFolder(t), 'file');
  const content = seededBytes('slices', 1_000_003);
  await writeFile(path, content);
  const random = seededRandom('borders');
  const whole = await hashWhole(path, 65_536);
  assert.equal(whole.md5, md5(content));
  for (let round = 0; round < 10; round++) {
    const borders = Array.from({ length: 5 }, () => Math.floor(random() * content.length)).sort(
      (a, b) => a - b,
    );
    assert.deepEqual(await hashWhole(path, 65_536, borders), whole, `cut at ${borders}`);
  }
});

test('a part size that is no multiple of 64 has no midstates', async (t) => {
  const path = join(await tempFolder(t), 'file');
  await writeFile(path, counting(10_000));
  assert.deepEqual(await hashWhole(path, 1000), { md5: 'bbf1c77538f97ceeb1e03126edaa3594', states: [] });
});

test('hashes of two files that run in turns on one thread do not mix', async (t) => {
  const folder = await tempFolder(t);
  const contents = ['left', 'right'].map((seed) => seededBytes(seed, 300_000));
  const paths = contents.map((_, i) => join(folder, `${i}`));
  await Promise.all(paths.map((path, i) => writeFile(path, contents[i]!)));
  const borders = [100_000, 200_000];
  const hashes = await Promise.all(paths.map((path) => hashWhole(path, 65_536, borders)));
  assert.deepEqual(
    hashes.map((hash) => hash.md5),
    contents.map(md5),
  );
});

test('a file that is not the one of the identity is reported as changed, whatever was done to it', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'file');
  const changes: Record<string, () => Promise<void>> = {
    'longer by a byte': () => writeFile(path, counting(10_001)),
    'cut short': () => truncate(path, 5000),
    'rewritten, and its time set back': async () => {
      const before = await stat(path);
      await writeFile(path, counting(10_000).reverse());
      await utimes(path, before.atime, before.mtime);
    },
    'another file of the same content': async () => {
      await writeFile(`${path}.new`, counting(10_000));
      await rename(`${path}.new`, path);
    },
    gone: () => rename(path, `${path}.moved`),
  };
  for (const [what, change] of Object.entries(changes)) {
    await writeFile(path, counting(10_000));
    const job: HashSliceJob = {
      path,
      identity: await identity(path),
      from: 0,
      to: 10_000,
      partSize: 4096,
      saved: null,
      last: true,
    };
    succeeded(await hashSlice(job));
    await change();
    const result = await hashSlice(job);
    assert.equal(result.ok ? 'hashed' : result.code, 'CHANGED', what);
  }
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a file rewritten at once after it was hashed shows it, even with the same length', async (t) => {
  const path = join(await tempFolder(t), 'file');
  for (let round = 0; round < 5; round++) {
    await writeFile(path, counting(100));
    const job = {
      path,
      identity: await identity(path),
      from: 0,
      to: 100,
      partSize: 64,
      saved: null,
      last: true,
    };
    succeeded(await hashSlice(job));
    await writeFile(path, counting(100).reverse());
    assert.equal((await hashSlice(job)).ok, false, `round ${round}`);
  }
});

test('what cannot be read comes back as the system says it', async (t) => {
  const path = await tempFolder(t);
  const job = {
    path,
    identity: await identity(path),
    from: 0,
    to: 10,
    partSize: 64,
    saved: null,
    last: true,
  };
  const result = await hashSlice(job);
  assert.equal(result.ok ? 'hashed' : result.code, 'EISDIR');
});
