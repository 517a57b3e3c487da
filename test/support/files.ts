import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { atEnd, type Scope } from './clean-up.js';

/** An empty folder of the test's own, gone when the test is over. */
export async function tempFolder(t: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bugtorrent-test-'));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `length` bytes that look random and are the same for the same `seed`. */
export function seededBytes(seed: string, length: number): Buffer {
  const key = createHash('md5').update(seed).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Numbers in [0, 1), the same sequence for the same `seed`. */
export function seededRandom(seed: string): () => number {
  const key = createHash('md5').update(seed).digest();
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return () => stream.update(Buffer.alloc(4)).readUInt32LE() / 2 ** 32;
}

/** MD5 in hex. */
export function md5(content: Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}

/** MD5 of a file of any size, in hex. */
export async function md5OfFile(path: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
