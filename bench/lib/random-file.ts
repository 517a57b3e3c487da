import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

const STEP = 4 * 1024 * 1024;

/** Writes `size` bytes that nothing can compress or foresee, and returns their MD5 in hex. */
export async function writeRandomFile(path: string, size: number): Promise<string> {
  // A fresh AES key's counter stream: as random as /dev/urandom to whoever lacks the key, and faster.
  const stream = createCipheriv('aes-128-ctr', randomBytes(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(Math.min(STEP, size));
  const md5 = createHash('md5');
  const file = await open(path, 'wx');
  try {
    for (let left = size; left > 0; left -= STEP) {
      const bytes = stream.update(zeros.subarray(0, Math.min(STEP, left)));
      md5.update(bytes);
      await file.writeFile(bytes);
    }
  } finally {
    await file.close();
  }
  return md5.digest('hex');
}

/** Whether two files hold the same bytes; reads both whole, so that they are in the page cache afterwards. */
export async function sameContent(one: string, other: string): Promise<boolean> {
  const files = await Promise.all([open(one), open(other)]);
  try {
    const buffers = [Buffer.allocUnsafe(STEP), Buffer.allocUnsafe(STEP)];
    for (;;) {
      const [mine, theirs] = await Promise.all(files.map((file, i) => fill(file, buffers[i]!)));
      if (!mine!.equals(theirs!)) return false;
      if (mine!.length < STEP) return true;
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

async function fill(file: FileHandle, buffer: Buffer): Promise<Buffer> {
  let at = 0;
  for (let read = 1; read > 0 && at < buffer.length; at += read) {
    read = (await file.read(buffer, at, buffer.length - at)).bytesRead;
  }
  return buffer.subarray(0, at);
}
