/** Whole files on this machine. */
import { read } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { OperationalError } from '../core/errors.js';
import { diskError } from '../storage/disk-error.js';
import type { Engine } from './engine.js';

const RANGE = 16_777_216;
const WRITE = 262_144;
const readAt = promisify(read);
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

/** Writes the file's bytes in order to `out`; both stay open. Rejects when `out` does not take them all. */
export async function streamFile(fd: number, size: number, out: Writable): Promise<void> {
  const window = Buffer.allocUnsafeSlow(WRITE);
  for (let position = 0; position < size; ) {
    const { bytesRead } = await readAt(fd, window, 0, Math.min(WRITE, size - position), position);
    if (bytesRead === 0) throw diskError({ code: 'EIO' }, 'the data on its way to stdout');
    await written(out, window.subarray(0, bytesRead));
    position += bytesRead;
  }
}

const written = (out: Writable, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    out.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
