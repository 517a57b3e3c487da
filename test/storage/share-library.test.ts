import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { HashSliceJob } from '../../src/compute/jobs.js';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import type { FileMd5 } from '../../src/model/ids.js';
import type { EntryChecks } from '../../src/storage/hash-queue.js';
import { ShareIndex } from '../../src/storage/share-index.js';
import { type HashSlices, ShareLibrary, type ShareLibraryOptions } from '../../src/storage/share-library.js';
import { hashSlice } from '../../workers/hash.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes, tempFolder } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { openFilesBelow } from './open-files.js';

const QUIET_MS = 3000;
const A = seededBytes('a', 700_000);
const B = seededBytes('b', 1000);
const C = seededBytes('c', 1000);

/** A library over real files, with the hasher of the workers, and a record of what it said. */
class Subject {
  readonly clock = new ManualClock();
  /** `+name` when a file is shared, `-name` when it is removed. */
  readonly said: string[] = [];
  readonly warnings: object[] = [];
  readonly slices: HashSliceJob[] = [];
  readonly library: ShareLibrary;
  /** Stands in for the pool; a test may put its own in front. */
  hash: HashSlices['hashSlice'] = async (job) => hashSlice(job);

  constructor(t: TestContext, options: Partial<ShareLibraryOptions>) {
    const logger: Logger = { ...silentLogger, warn: (fields) => this.warnings.push(fields) };
    this.library = new ShareLibrary({
      folders: [],
      files: [],
      index: null,
      concurrency: 2,
      clock: this.clock,
      logger,
      quietMs: QUIET_MS,
      hash: {
        hashSlice: (job) => {
          this.slices.push(job);
          return this.hash(job);
        },
      },
      onShared: ({ manifest }) => this.said.push(`+${manifest.name}`),
      onRemoved: ({ manifest }) => this.said.push(`-${manifest.name}`),
      ...options,
    });
    atEnd(t, () => this.library.stop());
  }

  /** Everything said, in order of names, once it is `count` lines. */
  async heard(count: number): Promise<string[]> {
    await until(() => this.said.length >= count);
    return [...this.said].sort();
  }

  /** Lets the quiet time pass and everything be looked at that was waiting for it. */
  async pass(): Promise<void> {
    this.clock.advance(QUIET_MS);
    await until(() => this.clock.pending.length > 0 || this.library.stats().unsettled === 0);
  }
}

/** Resolves as soon as `condition` holds; what it waits for happens on other threads. */
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); await setImmediate()) {
    assert.ok(Date.now() < deadline, `never: ${condition}`);
  }
}

async function sharedFolder(t: TestContext, files: Record<string, Buffer>): Promise<string> {
  const folder = join(await realpath(await tempFolder(t)), 'shared');
  await mkdir(folder);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

async function openIndex(t: TestContext, folder: string): Promise<ShareIndex> {
  const index = await ShareIndex.open(join(folder, '..', 'index'), silentLogger);
  atEnd(t, () => index.close());
  return index;
}

const idOf = (content: Buffer) => md5(content) as never;

test('every file found is hashed and shared by its MD5, with parts, midstates and name; empty ones, too', async (t) => {
  const folder = await sharedFolder(t, { 'a.bin': A, 'sub/b.bin': B, empty: Buffer.alloc(0), '.hidden': C });
  const alone = join(folder, '../alone');
  await writeFile(alone, C);
  const subject = new Subject(t, { folders: [folder, join(folder, 'sub')], files: [alone] });
  await subject.library.start();
  assert.deepEqual(await subject.heard(4), ['+a.bin', '+alone', '+b.bin', '+empty']);

  const a = subject.library.find(idOf(A));
  assert.deepEqual(a?.manifest, {
    md5: md5(A),
    name: 'a.bin',
    geometry: { fileSize: 700_000, partSize: 262_144, partCount: 3 },
  });
  assert.equal(a?.path, join(folder, 'a.bin'));
  assert.equal(a?.identity.size, 700_000);
  assert.equal(a?.midstates.length, 2 * 16);
  const empty = subject.library.find('d41d8cd98f00b204e9800998ecf8427e' as never);
  assert.deepEqual([empty?.manifest.geometry.partCount, empty?.midstates.length], [0, 0]);
  assert.equal([...subject.library.files()].length, 4);
  const { files, bytes, hashedBytes, indexHits, hashing, queued } = subject.library.stats();
  assert.deepEqual([files, bytes, hashedBytes, indexHits, hashing, queued], [4, 702_000, 702_000, 0, 0, 0]);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('a long file is hashed in slices, each heard of, and its midstates are joined', async (t) => {
  const folder = await sharedFolder(t, { long: Buffer.alloc(0) });
  await truncate(join(folder, 'long'), 40_000_000);
  const progress: number[] = [];
  const subject = new Subject(t, {
    folders: [folder],
    onProgress: ({ hashedBytes }) => {
      progress.push(hashedBytes);
    },
  });
  await subject.library.start();
  await subject.heard(1);
  assert.deepEqual(
    subject.slices.map(({ from, to, last }) => [from, to, last]),
    [
      [0, 16_777_216, false],
      [16_777_216, 33_554_432, false],
      [33_554_432, 40_000_000, true],
    ],
  );
  assert.deepEqual(progress, [16_777_216, 33_554_432, 40_000_000]);
  const [file] = subject.library.files();
  assert.equal(file?.manifest.md5, md5(Buffer.alloc(40_000_000)));
  assert.equal(file?.midstates.length, 152 * 16);
});

test('several files are hashed at once, as many as allowed, each one slice at a time', async (t) => {
  const contents = Object.fromEntries(
    ['1', '2', '3', '4', '5'].map((name) => [name, seededBytes(name, 100)]),
  );
  const folder = await sharedFolder(t, contents);
  const subject = new Subject(t, { folders: [folder], concurrency: 3 });
  const gates: (() => void)[] = [];
  const hash = subject.hash;
  subject.hash = async (job) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return hash(job);
  };
  await subject.library.start();
  const { hashing, queued } = subject.library.stats();
  assert.deepEqual([hashing, queued, gates.length], [3, 2, 3]);
  for (let shared = 1; shared <= 5; shared++) {
    gates.shift()?.();
    await subject.heard(shared);
  }
});

test('what the index knows is not hashed again; what changed since is', async (t) => {
  const folder = await sharedFolder(t, { a: A, b: B, c: C });
  const index = await openIndex(t, folder);
  const first = new Subject(t, { folders: [folder], index });
  await first.library.start();
  await first.heard(3);
  await first.library.stop();
  await writeFile(join(folder, 'b'), seededBytes('new b', 1000));

  const second = new Subject(t, { folders: [folder], index });
  await second.library.start();
  assert.ok(second.library.find(idOf(A)), 'what is known is shared when start is done');
  assert.deepEqual(second.library.find(idOf(A))?.midstates, first.library.find(idOf(A))?.midstates);
  await second.heard(3);
  assert.deepEqual(
    second.slices.map(({ path }) => path),
    [join(folder, 'b')],
  );
  assert.equal(second.library.stats().indexHits, 2);
  assert.equal(second.library.find(idOf(B)), null);
});

test('a recheck reads what the index knows against it, hashes the rest, and what does not hold anew', async (t) => {
  const folder = await sharedFolder(t, { a: A, b: B });
  const index = await openIndex(t, folder);
  const first = new Subject(t, { folders: [folder], index });
  await first.library.start();
  await first.heard(2);
  await first.library.stop();
  await writeFile(join(folder, 'c'), C);

  const checked: string[] = [];
  let idle = 0;
  const check: EntryChecks['check'] = async ({ name, identity }, known, onBytes) => {
    checked.push(`${name} ${known.md5}`);
    onBytes(name === 'b' ? 400 : identity.size);
    return { ok: true, wrong: name === 'b' ? 0 : null };
  };
  const second = new Subject(t, {
    folders: [folder],
    index,
    recheck: { check },
    onIdle: () => idle++,
  });
  await second.library.start();
  assert.deepEqual(await second.heard(3), ['+a', '+b', '+c']);
  await until(() => idle > 0);
  assert.deepEqual(checked.sort(), [`a ${md5(A)}`, `b ${md5(B)}`]);
  assert.deepEqual(second.slices.map(({ path }) => path).sort(), [join(folder, 'b'), join(folder, 'c')]);
  assert.deepEqual(second.library.find(idOf(A))?.midstates, first.library.find(idOf(A))?.midstates);
  assert.deepEqual(second.warnings, [{ path: join(folder, 'b'), md5: md5(B), part: 0 }]);
  const { rechecked, indexHits, hashedBytes, queuedBytes, errors } = second.library.stats();
  assert.deepEqual([rechecked, indexHits, hashedBytes, queuedBytes], [1, 0, 702_400, 0]);
  assert.deepEqual(errors, { WRONG: 1 });
});

test('paths of equal content are one file; when the one that serves goes, the other serves', async (t) => {
  const folder = await sharedFolder(t, { one: B, two: B });
  const subject = new Subject(t, { folders: [folder], concurrency: 1 });
  await subject.library.start();
  await subject.heard(1);
  await until(() => subject.library.stats().paths === 2);
  const { manifest, path } = subject.library.find(idOf(B))!;
  await unlink(path);
  subject.library.noticeChanged(manifest.md5, path);
  subject.library.noticeChanged(manifest.md5, path);
  const other = subject.library.find(idOf(B))!;
  assert.notEqual(other.path, path);
  assert.equal(other.manifest, manifest, 'its name stays what it was');
  assert.equal(subject.said.length, 1);
  await unlink(other.path);
  subject.library.noticeChanged(manifest.md5);
  assert.deepEqual(subject.said, [`+${manifest.name}`, `-${manifest.name}`]);
  await subject.pass();
  assert.equal(subject.library.stats().unsettled, 0);
});

test('a file that changed serves no more at once, and comes back under its new id when it lies still', async (t) => {
  const folder = await sharedFolder(t, { file: A });
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await subject.heard(1);
  const path = join(folder, 'file');
  await writeFile(path, B);
  subject.library.noticeChanged(idOf(A));
  assert.equal(subject.library.find(idOf(A)), null);
  assert.deepEqual(subject.said, ['+file', '-file']);

  for (const length of [500, 600, 700]) {
    await subject.pass();
    await writeFile(path, C.subarray(0, length));
  }
  await subject.pass();
  assert.equal(subject.slices.length, 1, 'not hashed while it keeps changing');
  assert.equal(subject.library.stats().unsettled, 1);
  await subject.pass();
  assert.deepEqual(await subject.heard(3), ['+file', '+file', '-file']);
  assert.equal(subject.library.find(idOf(C.subarray(0, 700)))?.path, path);
  assert.equal(subject.slices.length, 2);
});

test('a late word about an earlier content does not hurt the file that took its place', async (t) => {
  const folder = await sharedFolder(t, { file: A });
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await subject.heard(1);
  await writeFile(join(folder, 'file'), B);
  subject.library.noticeChanged(idOf(A), join(folder, 'file'));
  await subject.pass();
  await subject.pass();
  await subject.heard(3);
  subject.library.noticeChanged(idOf(A), join(folder, 'file'));
  subject.library.noticeChanged(idOf(A));
  assert.ok(subject.library.find(idOf(B)));
});

test('a content changed with its times set back is hashed, in this run and for the next', async (t) => {
  const folder = await sharedFolder(t, { file: B });
  const path = join(folder, 'file');
  const index = await openIndex(t, folder);
  const subject = new Subject(t, { folders: [folder], index });
  await subject.library.start();
  await subject.heard(1);
  const { atime, mtime } = await stat(path);
  // Times of whole milliseconds can be set back exactly.
  await utimes(path, atime, mtime);
  await subject.library.rescan();
  await subject.pass();
  await subject.heard(3);

  await writeFile(path, C);
  await utimes(path, atime, mtime);
  await subject.library.rescan();
  assert.equal(subject.library.find(idOf(B)), null);
  await subject.pass();
  await subject.heard(5);
  assert.ok(subject.library.find(idOf(C)));
  const next = new Subject(t, { folders: [folder], index });
  await next.library.start();
  assert.ok(next.library.find(idOf(C)));
  assert.equal(next.slices.length, 0);
});

test('a rescan finds what is new, changed or gone, and reads nothing else', async (t) => {
  const folder = await sharedFolder(t, { stays: A, changes: B, goes: C, 'sub/moves': Buffer.from('moves') });
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await subject.heard(4);
  await Promise.all([subject.library.rescan(), subject.library.rescan()]);
  await subject.pass();
  assert.equal(subject.slices.length, 4, 'an unchanged folder costs no hash');

  await writeFile(join(folder, 'changes'), 'changed');
  await unlink(join(folder, 'goes'));
  await rename(join(folder, 'sub/moves'), join(folder, 'sub/moved'));
  await writeFile(join(folder, 'new'), 'new');
  await subject.library.rescan();
  assert.deepEqual(subject.said.slice(4).sort(), ['-changes', '-goes', '-moves']);
  assert.equal(subject.slices.length, 4, 'nothing is hashed before it lay still');
  await subject.pass();
  const lines = await subject.heard(10);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('+')),
    ['+changes', '+changes', '+goes', '+moved', '+moves', '+new', '+stays'],
  );
  assert.deepEqual([...subject.library.files()].map(({ manifest }) => manifest.name).sort(), [
    'changes',
    'moved',
    'new',
    'stays',
  ]);
});

test('a file that changes while it is hashed is hashed again when it lies still', async (t) => {
  const folder = await sharedFolder(t, { file: A });
  const path = join(folder, 'file');
  const subject = new Subject(t, { folders: [folder] });
  const hash = subject.hash;
  subject.hash = async (job) => {
    subject.hash = hash;
    await writeFile(path, B);
    return hash(job);
  };
  await subject.library.start();
  await until(() => subject.library.stats().unsettled === 1);
  assert.deepEqual(subject.said, []);
  await subject.pass();
  await subject.pass();
  assert.deepEqual(await subject.heard(1), ['+file']);
  assert.ok(subject.library.find(idOf(B)));
});

test('a file that cannot be read is said, left alone for a while, and tried again', async (t) => {
  const folder = await sharedFolder(t, { bad: A, good: B });
  const subject = new Subject(t, { folders: [folder] });
  const hash = subject.hash;
  const failing: HashSlices['hashSlice'] = async (job) =>
    job.path.endsWith('bad') ? { ok: false, code: 'EIO', detail: 'i/o error' } : hash(job);
  subject.hash = failing;
  await subject.library.start();
  await subject.heard(1);
  await until(() => subject.library.stats().errors.DISK_FAILURE === 1);
  assert.deepEqual(subject.warnings, [
    { path: join(folder, 'bad'), code: 'DISK_FAILURE', detail: 'i/o error' },
  ]);
  await subject.library.rescan();
  assert.equal(subject.library.stats().unsettled, 0);

  subject.clock.advance(600_000);
  subject.hash = hash;
  await subject.library.rescan();
  await subject.pass();
  assert.deepEqual(await subject.heard(2), ['+bad', '+good']);
});

test('a pool that fails a file does not stop the others', async (t) => {
  const folder = await sharedFolder(t, { 1: A, 2: B, 3: C });
  const subject = new Subject(t, { folders: [folder], concurrency: 1 });
  const hash = subject.hash;
  subject.hash = () => {
    subject.hash = hash;
    return Promise.reject(new Error('the thread died'));
  };
  await subject.library.start();
  await subject.heard(2);
  assert.equal(subject.library.stats().errors.POOL, 1);
});

test('a file larger than the protocol carries is left out and said, also by later scans only once', async (t) => {
  const folder = await sharedFolder(t, { large: Buffer.alloc(0), small: B });
  await truncate(join(folder, 'large'), 10_000_000_000);
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await subject.heard(1);
  await subject.library.rescan();
  subject.clock.advance(10_000_000);
  await subject.library.rescan();
  assert.equal(subject.library.stats().unsettled, 0);
  assert.deepEqual(subject.library.stats().errors, { TOO_LARGE: 1 });
  assert.equal(subject.warnings.length, 1);
});

test('what a scan leaves out is said once, and counted by reason', async (t) => {
  const folder = await sharedFolder(t, { file: B });
  await symlink('/etc', join(folder, 'outside'));
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await subject.library.rescan();
  assert.deepEqual(subject.library.stats().errors, { LINK_OUTSIDE: 1 });
  assert.equal(subject.warnings.length, 1);
});

test('a folder or file missing at the start is an error, and nothing is hashed', async (t) => {
  const folder = await sharedFolder(t, { file: A });
  const missing = join(folder, 'none');
  const noFolder = new Subject(t, { folders: [folder, missing] });
  await assert.rejects(noFolder.library.start(), { name: 'OperationalError', code: 'FOLDER_MISSING' });
  const noFile = new Subject(t, { folders: [folder], files: [missing] });
  await assert.rejects(noFile.library.start(), {
    name: 'OperationalError',
    code: 'FILE_MISSING',
    message: `${missing}: no such file or folder; check its name`,
  });
  assert.equal(noFolder.slices.length + noFile.slices.length, 0);
});

test('a folder that goes away takes its files along, and brings them back unhashed', async (t) => {
  const folder = await sharedFolder(t, { 'disk/a': A, 'disk/b': B, 'other/c': C });
  const index = await openIndex(t, folder);
  const folders = [join(folder, 'disk'), join(folder, 'other')];
  const subject = new Subject(t, { folders, index });
  await subject.library.start();
  await subject.heard(3);
  await rename(join(folder, 'disk'), join(folder, 'unmounted'));
  await subject.library.rescan();
  assert.deepEqual(subject.said.slice(3).sort(), ['-a', '-b']);
  assert.ok(subject.library.find(idOf(C)));
  assert.deepEqual(subject.library.stats().errors, { FOLDER_MISSING: 1 });
  await rename(join(folder, 'unmounted'), join(folder, 'disk'));
  await subject.library.rescan();
  assert.deepEqual([...subject.said.slice(5)].sort(), ['+a', '+b']);
  assert.equal(subject.slices.length, 3);
});

test('while one folder cannot be listed, files are removed elsewhere only when they are gone', async (t) => {
  const folder = await sharedFolder(t, {
    'one/goes': A,
    'one/changes': B,
    'one/stays': C,
    'two/x': Buffer.from('x'),
  });
  const folders = [join(folder, 'one'), join(folder, 'two')];
  const subject = new Subject(t, { folders });
  await subject.library.start();
  await subject.heard(4);
  await rm(join(folder, 'two'), { recursive: true });
  await unlink(join(folder, 'one/goes'));
  await writeFile(join(folder, 'one/changes'), 'changed');
  await subject.library.rescan();
  assert.deepEqual(subject.said.slice(4).sort(), ['-changes', '-goes', '-x']);
  assert.deepEqual(
    [...subject.library.files()].map(({ path }) => path),
    [join(folder, 'one/stays')],
  );
});

test('an index that cannot be written costs nothing but itself', async (t) => {
  const folder = await sharedFolder(t, { file: A });
  const subject = new Subject(t, {
    folders: [folder],
    index: {
      find: () => null,
      put: () => Promise.reject(new Error('no space')),
      remove: () => Promise.reject(new Error('no space')),
    },
  });
  await subject.library.start();
  assert.deepEqual(await subject.heard(1), ['+file']);
  await until(() => subject.library.stats().errors.INDEX === 1);
});

test('stop waits for the slices in the pool, begins no more, and nothing is said after it', async (t) => {
  const folder = await sharedFolder(t, { 1: A, 2: B, 3: C });
  const subject = new Subject(t, { folders: [folder], concurrency: 1 });
  const hash = subject.hash;
  let release = () => {};
  subject.hash = async (job) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return hash(job);
  };
  await subject.library.start();
  let isStopped = false;
  const stopping = subject.library.stop().then(() => {
    isStopped = true;
  });
  await setImmediate();
  assert.ok(!isStopped);
  release();
  await stopping;
  await subject.library.stop();
  assert.deepEqual(subject.said, []);
  assert.equal(subject.slices.length, 1);
  assert.equal(subject.library.stats().queued, 0);
  assert.deepEqual(openFilesBelow(folder), []);
});

test('stop ends a start that is still looking, and leaves no timer for files that were to be looked at', async (t) => {
  const folder = await sharedFolder(t, { file: A });
  const starting = new Subject(t, { folders: [folder] });
  const started = starting.library.start();
  await starting.library.stop();
  await started;
  assert.equal(starting.slices.length, 0);

  const waiting = new Subject(t, { folders: [folder] });
  await waiting.library.start();
  await waiting.heard(1);
  waiting.library.noticeChanged(idOf(A));
  assert.deepEqual(waiting.clock.pending, [QUIET_MS]);
  await waiting.library.stop();
  assert.deepEqual(waiting.clock.pending, []);
});

test('a file that is withheld is shared no more while it lies there, and may be added again', async (t) => {
  const folder = await realpath(await tempFolder(t));
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  await writeFile(a, A);
  await writeFile(b, A);
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await subject.heard(1);
  await until(() => subject.library.stats().paths === 2);
  subject.library.withhold(md5(A) as FileMd5);
  assert.equal(subject.said.length, 2);
  assert.deepEqual([...subject.library.withheld].sort(), [a, b], 'all its places');
  await subject.library.rescan();
  assert.equal(subject.library.stats().paths, 0);

  await unlink(b);
  await subject.library.rescan();
  assert.deepEqual([...subject.library.withheld], [a], 'what is gone may come back as another file');
  assert.deepEqual(await subject.library.add(a, 1), { md5: md5(A), files: 1 });
  await subject.heard(3);
  assert.equal(subject.library.find(md5(A) as FileMd5)?.path, a);
});

test('a file that was added and is gone at the next start is no error, and is found when it is back', async (t) => {
  const folder = await realpath(await tempFolder(t));
  const path = join(folder, 'a');
  const subject = new Subject(t, { added: [path] });
  await subject.library.start();
  await writeFile(path, B);
  await subject.library.rescan();
  await until(() => subject.library.stats().unsettled === 1);
  await assert.rejects(subject.library.add(join(folder, 'none'), 0), { code: 'FILE_MISSING' });
});

test('an addition that comes to nothing ends with the reason at once, and nothing is kept of it', async (t) => {
  const folder = await sharedFolder(t, { bad: A, large: Buffer.alloc(0) });
  await truncate(join(folder, 'large'), 10_000_000_000);
  const subject = new Subject(t, {});
  await subject.library.start();
  const reasons: (readonly [string, string, string, object])[] = [
    ['bad', 'EACCES', 'permission denied', { name: 'UsageError', code: 'NO_PERMISSION' }],
    ['bad', 'EIO', 'i/o error', { name: 'OperationalError', code: 'DISK_FAILURE', trouble: 'disk' }],
    [
      'bad',
      'POOL',
      'it died',
      { name: 'OperationalError', code: 'POOL', message: /bad was not hashed: it died$/ },
    ],
    ['large', '', '', { name: 'UsageError', code: 'TOO_LARGE', message: /at most 9999999999 B$/ }],
  ];
  const { hash } = subject;
  for (const [name, code, detail, error] of reasons) {
    subject.hash = async () => ({ ok: false, code, detail });
    for (let time = 0; time < 2; time++) {
      await assert.rejects(subject.library.add(join(folder, name), 60_000), error);
    }
  }
  await subject.library.rescan();
  assert.deepEqual([subject.library.added.size, subject.library.stats().queued], [0, 0]);
  subject.hash = hash;
  const { md5: id } = await subject.library.add(join(folder, 'bad'), 60_000);
  assert.equal(id, md5(A), 'it is read again when asked');
  assert.deepEqual([...subject.library.added], [join(folder, 'bad')]);
  assert.deepEqual(subject.clock.pending, []);
});

test('of a folder that is added, the first file counts that can be shared', async (t) => {
  const folder = await sharedFolder(t, { bad: A, good: B });
  const subject = new Subject(t, { concurrency: 1 });
  await subject.library.start();
  const { hash } = subject;
  subject.hash = async (job) =>
    job.path.endsWith('bad') ? { ok: false, code: 'EACCES', detail: 'permission denied' } : hash(job);
  assert.deepEqual(await subject.library.add(folder, 60_000), { md5: md5(B), files: 2 });
  await unlink(join(folder, 'good'));
  await assert.rejects(subject.library.add(folder, 60_000), { code: 'NO_PERMISSION' });
  assert.deepEqual([...subject.library.added], [folder], 'it was added before');
});

test('what kept a scan from finding any file is the reason why there is nothing to share', async (t) => {
  const folder = await sharedFolder(t, { 'gone/.hidden': A });
  await symlink('loop', join(folder, 'loop'));
  await symlink('nowhere', join(folder, 'gone/link'));
  const subject = new Subject(t, {});
  await assert.rejects(subject.library.add(folder, 60_000), { code: 'LINK_LOOP' });
  await assert.rejects(subject.library.add(join(folder, 'gone'), 60_000), {
    ...{ code: 'NOTHING_TO_SHARE', message: `${join(folder, 'gone')} holds no file to share` },
  });
  await unlink(join(folder, 'gone/link'));
  await symlink('/etc', join(folder, 'gone/link'));
  await assert.rejects(subject.library.add(join(folder, 'gone'), 60_000), {
    ...{ code: 'NOTHING_TO_SHARE', message: /link: leads out of the shared folder, to \/etc$/ },
  });
});

test('an addition ends in its time when the file is hashed for longer or keeps changing, and is kept', async (t) => {
  const folder = await sharedFolder(t, { long: A, changing: B });
  const subject = new Subject(t, {});
  await subject.library.start();
  const { hash } = subject;
  let isDone = () => {};
  subject.hash = (job) =>
    job.path.endsWith('long')
      ? new Promise((resolve) => {
          isDone = () => resolve(hashSlice(job));
        })
      : Promise.resolve({ ok: false, code: 'CHANGED', detail: 'changed' });
  const outcomes = Promise.allSettled([
    subject.library.add(join(folder, 'long'), 5_000),
    subject.library.add(join(folder, 'changing'), 5_000),
  ]);
  await until(() => subject.library.stats().unsettled === 1 && subject.clock.pending.length === 3);
  subject.clock.advance(5_000);
  const codes = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason.code);
  assert.deepEqual(codes, ['STILL_HASHING', 'UNSETTLED']);
  assert.equal(subject.library.added.size, 2);
  isDone();
  await subject.heard(1);
  subject.hash = hash;
  await subject.pass();
  await subject.pass();
  assert.deepEqual(await subject.heard(2), ['+changing', '+long']);
});

test('a file that goes away while it is waited for, and a stop, end an addition', async (t) => {
  const folder = await sharedFolder(t, { goes: A, stays: B });
  const subject = new Subject(t, {});
  await subject.library.start();
  subject.hash = async () => ({ ok: false, code: 'CHANGED', detail: 'changed' });
  const gone = subject.library.add(join(folder, 'goes'), 60_000);
  await until(() => subject.library.stats().unsettled === 1);
  await unlink(join(folder, 'goes'));
  subject.clock.advance(QUIET_MS);
  await assert.rejects(gone, { name: 'UsageError', code: 'FILE_MISSING' });
  const stopped = subject.library.add(join(folder, 'stays'), 60_000);
  const rejected = assert.rejects(stopped, { code: 'INTERRUPTED' });
  await until(() => subject.library.stats().unsettled === 1);
  await subject.library.stop();
  await rejected;
  assert.deepEqual([subject.library.added.size, subject.clock.pending], [0, []]);
});

test('that a path cannot be shared for what it is, is told to who named it', async (t) => {
  const folder = await sharedFolder(t, { 'locked/file': B });
  const { library } = new Subject(t, {});
  await library.start();
  await assert.rejects(library.add(join(folder, 'none'), 0), { name: 'UsageError', code: 'FILE_MISSING' });
  await chmod(join(folder, 'locked'), 0);
  // The permissions of files do not hold for root.
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    await assert.rejects(library.add(join(folder, 'locked', 'file'), 0), {
      name: 'UsageError',
      code: 'NO_PERMISSION',
    });
  } finally {
    if (isRoot) process.seteuid!(0);
  }
  await chmod(join(folder, 'locked'), 0o700);
});

test('why nothing in an added folder can be shared is said and counted, once', async (t) => {
  const folder = await sharedFolder(t, {});
  const added = join(folder, '..', 'added');
  await mkdir(added);
  for (const at of [folder, added]) await symlink('/etc', join(at, 'outside'));
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  for (const _ of [1, 2]) await assert.rejects(subject.library.add(added, 0), { code: 'NOTHING_TO_SHARE' });
  await subject.library.rescan();
  assert.deepEqual(subject.library.stats().errors, { LINK_OUTSIDE: 2 });
  assert.deepEqual(
    subject.warnings.map((warning) => (warning as { path?: string }).path),
    [join(folder, 'outside'), join(added, 'outside')],
  );
});

test('a file proven by its MD5 is shared at once, and its midstates as soon as they are known', async (t) => {
  const folder = await sharedFolder(t, {});
  const index = await openIndex(t, folder);
  const subject = new Subject(t, { folders: [folder], index });
  await subject.library.start();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  subject.hash = async (job) => {
    await held;
    return hashSlice(job);
  };
  const path = join(folder, 'a.bin');
  await writeFile(path, A);
  const id = md5(A) as FileMd5;
  await subject.library.adopt(path, { md5: id, midstates: null, partSize: 262_144, isSalted: false });
  assert.deepEqual(subject.said, ['+a.bin']);
  assert.equal(subject.library.find(id)!.midstates.length, 0);
  letGo();
  await until(() => subject.library.find(id)!.midstates.length === 2 * 16);
  assert.deepEqual(subject.said, ['+a.bin']);
  const { path: real, identity } = subject.library.find(id)!;
  assert.equal(index.find(real, identity, 262_144)?.md5, id);
});

test('what has other bytes than it was proven to have is shared no more as that', async (t) => {
  const folder = await sharedFolder(t, {});
  const subject = new Subject(t, { folders: [folder] });
  await subject.library.start();
  await writeFile(join(folder, 'a.bin'), B);
  const id = md5(A) as FileMd5;
  await subject.library.adopt(join(folder, 'a.bin'), {
    ...{ md5: id, midstates: null, partSize: 262_144, isSalted: false },
  });
  await until(() => subject.library.find(id) === null);
  await subject.pass();
  await subject.pass();
  await until(() => subject.library.find(md5(B) as FileMd5) !== null);
  assert.deepEqual(subject.said, ['+a.bin', '-a.bin', '+a.bin']);
});

test('a file with a salted id stays shared under it, in the next run and when all is read again', async (t) => {
  const folder = await sharedFolder(t, {});
  const index = await openIndex(t, folder);
  const path = join(folder, 'a.bin');
  const salted = md5(Buffer.concat([A, Buffer.from('192.0.2.7')])) as FileMd5;
  const subject = new Subject(t, { folders: [folder], index });
  await subject.library.start();
  await writeFile(path, A);
  await subject.library.adopt(path, { md5: salted, midstates: null, partSize: 262_144, isSalted: true });
  await until(() => subject.library.find(salted)?.midstates.length === 2 * 16);
  const { path: real, identity } = subject.library.find(salted)!;
  const known = index.find(real, identity, 262_144);
  assert.deepEqual([known?.md5, known?.plain], [salted, md5(A)]);
  await subject.library.stop();
  const next = new Subject(t, { folders: [folder], index });
  await next.library.start();
  assert.deepEqual(
    next.library.places(salted).map(({ path }) => path),
    [real],
  );
  assert.equal(next.slices.length, 0);
});
