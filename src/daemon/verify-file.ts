/** `verify`: whether a file on this machine has an MD5. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { unchanged } from '../model/file-identity.js';
import { DEFAULT_PART_SIZE, isGeometry, partGeometry, partLength, partOffset } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import { type ScannedFile, scanFile } from '../storage/folder-scan.js';
import { lookUp } from '../storage/index-lookup.js';
import type { IndexEntry } from '../storage/index-record.js';
import type { Progress } from './downloader.js';
import { Engine } from './engine.js';
import { hashFile } from './local-file.js';
import { midstateCheck } from './midstate-check.js';

/** Payload memory for each thread: the twelve parts of a task, and room to spare. */
const MEMORY = 4_194_304;
const THREADS = availableParallelism();

export interface VerifyOptions {
  readonly path: string;
  readonly md5: FileMd5;
  /** Bytes the file is said to have; null: nobody said. */
  readonly size: number | null;
  /** Where a share index may know the file's midstates. */
  readonly stateDir: string;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface VerifyResult {
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * Resolves when the file has the MD5 (the plain one; whose addresses a salted id was made with nobody knows here). Throws
 * OperationalError 'verification' when it has not, 'disk' when that cannot be read, 'interrupted'.
 */
export async function verifyFile(options: VerifyOptions): Promise<VerifyResult> {
  const { path, md5, size, clock } = options;
  const startedAt = clock.now();
  const file = await scanFile(path);
  if (file === null) {
    throw new OperationalError('disk', 'IS_A_FOLDER', `${path}: it is a folder; verify its files one by one`);
  }
  const known = await knownStates(file, options);
  const expected = known?.md5 === md5 ? known.identity.size : size;
  const bytes = file.identity.size;
  if (expected !== null && expected !== bytes) {
    throw wrong('WRONG_SIZE', `${path}: ${bytes} B long, but the file with the MD5 ${md5} has ${expected} B`);
  }
  const found = await md5Of(file, known, options);
  if (found !== md5) throw wrong('WRONG_MD5', `${path}: its MD5 is ${found}, not ${md5}`);
  return { bytes, seconds: (clock.now() - startedAt) / 1000 };
}

/** From midstates where they lead to an MD5, else in one pass. */
async function md5Of(file: ScannedFile, known: IndexEntry | null, options: VerifyOptions): Promise<string> {
  const engine = new Engine({ cacheBytes: (THREADS + 1) * MEMORY, threads: THREADS });
  try {
    if (known !== null && isUsable(known, file)) {
      const part = await firstWrong(engine, file, known, options);
      if (part === null) return known.md5;
      if (known.md5 === options.md5) throw wrongPart(options.path, file, known, part);
    }
    return await hashWhole(engine, file, options);
  } finally {
    await engine.stop();
  }
}

/** The states must be those of a file of this size. */
function isUsable({ identity, partSize, midstates }: IndexEntry, file: ScannedFile): boolean {
  const { size } = file.identity;
  if (identity.size !== size || !isGeometry(size, partSize)) return false;
  return midstates.length > 0 || partGeometry(size, partSize).partCount <= 1;
}

async function firstWrong(
  engine: Engine,
  file: ScannedFile,
  known: IndexEntry,
  options: VerifyOptions,
): Promise<number | null> {
  const verdict = await midstateCheck(engine).check(file, known, progressOf(file, known.partSize, options));
  if (verdict === null) throw stopped();
  if (verdict.ok) return verdict.wrong;
  if (verdict.code === 'CHANGED') throw changed(options.path);
  throw new OperationalError('disk', verdict.code, `cannot read ${options.path}: ${verdict.detail}`);
}

async function hashWhole(engine: Engine, file: ScannedFile, options: VerifyOptions): Promise<string> {
  const { path, identity } = file;
  const onBytes = progressOf(file, DEFAULT_PART_SIZE, options);
  const { md5 } = await hashFile(engine, path, identity.size, {
    onBytes(bytes) {
      if (!onBytes(bytes)) throw stopped();
    },
  });
  const now = await scanFile(path);
  if (now === null || !unchanged(now.identity, identity)) throw changed(options.path);
  return md5;
}

/** Tells of the bytes that are checked; the answer is whether to go on. */
function progressOf(
  { identity }: ScannedFile,
  partSize: number,
  { onProgress, signal, clock }: VerifyOptions,
): (bytes: number) => boolean {
  const startedAt = clock.now();
  const total = identity.size;
  let bytes = 0;
  return (more) => {
    bytes += more;
    const rate = Math.round((bytes / Math.max(1, clock.now() - startedAt)) * 1000);
    const parts = bytes === total ? Math.ceil(total / partSize) : Math.floor(bytes / partSize);
    onProgress({ bytes, total, fetched: 0, rate, peers: null, parts });
    return !signal.aborted;
  };
}

/** An index that cannot be read costs time only. */
async function knownStates(
  { path }: ScannedFile,
  { stateDir, logger }: VerifyOptions,
): Promise<IndexEntry | null> {
  try {
    return await lookUp(join(stateDir, 'shares'), path);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    logger.warn({ error: error.message }, 'the share index cannot be read: the file is hashed in one pass');
    return null;
  }
}

function wrongPart(path: string, { identity }: ScannedFile, known: IndexEntry, part: number) {
  const geometry = partGeometry(identity.size, known.partSize);
  const from = partOffset(geometry, part as PartIndex);
  const to = from + partLength(geometry, part as PartIndex) - 1;
  return wrong(
    'WRONG_PART',
    `${path}: wrong from part ${part} on (bytes ${from} to ${to}); its MD5 is not ${known.md5}`,
  );
}

const wrong = (code: string, message: string) => new OperationalError('verification', code, message);

const changed = (path: string) =>
  new OperationalError(
    'disk',
    'CHANGED',
    `${path}: it changed while it was verified; try again when it is at rest`,
  );

const stopped = () =>
  new OperationalError('interrupted', 'VERIFY_STOPPED', 'interrupted; the file was not verified to its end');
