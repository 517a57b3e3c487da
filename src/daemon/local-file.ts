/** Whole files on this machine. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { OperationalError } from '../core/errors.js';
import { diskError } from '../storage/disk-error.js';
import type { Engine } from './engine.js';

const RANGE = 16_777_216;
let lastHash = 0;

export interface FileHash {
  /** In lower-case hex, as are the salted ones. */
  readonly md5: string;
  /** Of the bytes and each of the suffixes behind them. */
  readonly salted: readonly string[];
}

/** What may be wanted of a file's hash besides. */
interface HashFileOptions {
  /** What it throws ends the hash. */
  readonly onBytes?: (bytes: number) => void;
  /** Texts that may stand behind the bytes in a salted id (PROTOCOL.md §6); never rejects. */
  readonly suffixes?: Promise<readonly string[]>;
}

/** The MD5 of a file. Throws OperationalError 'disk'. */
export async function hashFile(
  engine: Engine,
  path: string,
  size: number,
  { onBytes = () => {}, suffixes = Promise.resolve([]) }: HashFileOptions,
): Promise<FileHash> {
  const file = await open(path).catch((error: unknown) => {
    throw diskError(error, path);
  });
  const thread = engine.hashThread();
  const hash = --lastHash;
  try {
    for (let position = 0; position < size; position += RANGE) {
      const length = Math.min(RANGE, size - position);
      const result = await thread.run('hashParts', {
        hash,
        inputs: [{ kind: 'range', fd: file.fd, position, length }],
      });
      if (!result.ok)
        throw new OperationalError('disk', result.code, `cannot read ${path}: ${result.detail}`);
      onBytes(length);
    }
    const result = await thread.run('finishHash', { hash, suffixes: await suffixes });
    if (!result.ok) throw new OperationalError('disk', result.code, `cannot read ${path}: ${result.detail}`);
    return result;
  } finally {
    await file.close();
  }
}

/** Writes the file's bytes in order to `out`, which stays open. Resolves early when the reader went away. */
export async function streamFile(fd: number, size: number, out: Writable): Promise<void> {
  if (size === 0) return;
  const source = createReadStream('', {
    fd,
    autoClose: false,
    start: 0,
    end: size - 1,
    highWaterMark: 262_144,
  });
  for await (const bytes of source) {
    if (out.destroyed || out.errored !== null) return;
    if (!out.write(bytes)) await drained(out);
  }
}

/** Until `out` takes more, or never will. */
const drained = (out: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      for (const event of ['drain', 'close', 'error']) out.off(event, go);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) out.on(event, go);
  });
