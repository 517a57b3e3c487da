import { open } from 'node:fs/promises';
import { diskError, isErrno } from './disk-error.js';
import { decodeEntry, decodeRecord, type IndexEntry, type IndexRecord } from './index-record.js';
import { readLines } from './line-reader.js';
import { MAX_RECORD } from './share-index.js';

/**
 * What the share index at `indexPath` says of the file at `path` (a real path), whatever became of the file since; null
 * when it says nothing or there is no index. Only reads, beside a daemon that may be writing. Throws OperationalError.
 */
export async function lookUp(indexPath: string, path: string): Promise<IndexEntry | null> {
  try {
    const file = await open(indexPath);
    try {
      let found: IndexRecord | null = null;
      for await (const line of readLines(file, MAX_RECORD)) {
        const record = line === null ? null : decodeRecord(line);
        if (record?.path !== path) continue;
        // The line is valid until the next one.
        found = { path, line: record.line === null ? null : Buffer.from(record.line) };
      }
      return found && decodeEntry(found);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw diskError(error, indexPath);
  }
}
