import { type FileHandle, open, stat } from 'node:fs/promises';
import { UsageError } from '../../core/errors.js';
import type { FileBytes, ReadableFile } from '../../http/api/file-bytes.js';
import type { ByteRange } from '../../http/byte-range.js';
import { type FileIdentity, identityOf, unchanged } from '../../model/file-identity.js';
import type { FileMd5 } from '../../model/ids.js';
import { diskError } from '../../storage/disk-error.js';
import type { SharedFile } from '../../storage/share-library.js';
import { readArriving } from '../arriving-file.js';
import type { Seedbox } from '../seedbox.js';

const CHUNK = 262_144;

/** Shared files from where they lie, downloads as their parts come. */
export class DaemonFileBytes implements FileBytes {
  readonly #seedbox: Pick<Seedbox, 'library' | 'transfers'>;

  constructor(seedbox: Pick<Seedbox, 'library' | 'transfers'>) {
    this.#seedbox = seedbox;
  }

  async open(md5: FileMd5): Promise<ReadableFile | null> {
    const { library, transfers } = this.#seedbox;
    const shared = library?.find(md5) ?? null;
    if (shared !== null) return this.#shared(shared);
    const transfer = transfers?.find(md5)?.transfer;
    if (transfer === undefined) return null;
    const { arriving, magnet } = transfer;
    if (arriving === null)
      throw new UsageError('NOT_RUNNING', `the download is ${transfer.state}: it can be read while it runs`);
    return {
      name: magnet.name ?? md5,
      size: arriving.geometry.fileSize,
      read: (range, signal) => readArriving(arriving, range, signal),
    };
  }

  async #shared({ manifest, path, identity }: SharedFile): Promise<ReadableFile> {
    const { md5, name, geometry } = manifest;
    const changed = () => {
      this.#seedbox.library?.noticeChanged(md5, path);
      return new UsageError('CHANGED', 'the file has changed on disk: it is looked at again');
    };
    const now = await stat(path, { bigint: true }).catch(() => null);
    if (now === null || !unchanged(identity, identityOf(now))) throw changed();
    return {
      name,
      size: geometry.fileSize,
      read: (range, signal) => readShared({ path, identity, changed }, range, signal),
    };
  }
}

interface Source {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly changed: () => Error;
}

/** The last chunk comes only when the file was the same to the end. */
async function* readShared(
  { path, identity, changed }: Source,
  { start, end }: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path).catch((error: unknown) => {
    throw diskError(error, path);
  });
  try {
    await mustBe(file, identity, changed);
    for (let position = start; position < end && !signal.aborted; ) {
      const length = Math.min(CHUNK, end - position);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead === 0) throw changed();
      position += bytesRead;
      if (position === end) await mustBe(file, identity, changed);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function mustBe(file: FileHandle, identity: FileIdentity, changed: () => Error): Promise<void> {
  if (!unchanged(identity, identityOf(await file.stat({ bigint: true })))) throw changed();
}
