import { stat } from 'node:fs/promises';
import { UsageError } from '../../core/errors.js';
import type { FileBytes, ReadableFile } from '../../http/api/file-bytes.js';
import { isLoopback } from '../../model/address.js';
import { identityOf, unchanged } from '../../model/file-identity.js';
import type { PartGeometry } from '../../model/geometry.js';
import type { FileMd5 } from '../../model/ids.js';
import type { SharedFile } from '../../storage/share-library.js';
import { type ArrivingFile, readParts } from '../file-reading.js';
import type { Seedbox } from '../seedbox.js';
import { notStarted } from './not-started.js';

/** Shared files and downloads, read as peers are served. */
export class DaemonFileBytes implements FileBytes {
  readonly #seedbox: Pick<Seedbox, 'library' | 'transfers' | 'served' | 'reads' | 'limits'>;

  constructor(seedbox: Pick<Seedbox, 'library' | 'transfers' | 'served' | 'reads' | 'limits'>) {
    this.#seedbox = seedbox;
  }

  async open(md5: FileMd5): Promise<ReadableFile | null> {
    const { library, transfers } = this.#seedbox;
    const shared = library?.find(md5) ?? null;
    if (shared !== null) {
      await this.#mustBeUnchanged(shared);
      const { name, geometry } = shared.manifest;
      return this.#readable(md5, name, geometry, null);
    }
    const transfer = transfers?.find(md5)?.transfer;
    if (transfer === undefined) return null;
    const { arriving, magnet } = transfer;
    if (arriving === null)
      throw new UsageError('NOT_RUNNING', `the download is ${transfer.state}: it can be read while it runs`);
    return this.#readable(md5, magnet.name ?? md5, arriving.geometry, arriving);
  }

  #readable(md5: FileMd5, name: string, geometry: PartGeometry, arriving: ArrivingFile | null): ReadableFile {
    const { reads, limits } = this.#seedbox;
    if (reads === null) throw notStarted();
    return {
      name,
      size: geometry.fileSize,
      read: (range, { signal, ip }) =>
        readParts(
          {
            ...{ md5, geometry, arriving, reads },
            find: () => this.#seedbox.served(md5),
            // The limit is one of the line, which this machine's own programs do not use.
            pace: isLoopback(ip) ? null : limits.upload.pace(md5, `http ${ip}`),
          },
          range,
          signal,
        ),
    };
  }

  async #mustBeUnchanged({ manifest, path, identity }: SharedFile): Promise<void> {
    const now = await stat(path, { bigint: true }).catch(() => null);
    if (now !== null && unchanged(identity, identityOf(now))) return;
    this.#seedbox.library?.noticeChanged(manifest.md5, path);
    throw new UsageError('CHANGED', 'the file has changed on disk: it is looked at again');
  }
}
