/**
 * A process of the share index tests: `node share-index-writer.js PATH append COUNT` puts COUNT entries, saying the
 * number of each that is settled; `… PATH open STEP` opens the index, puts one more entry and dies at STEP.
 */
import { silentLogger } from '../../src/core/logger.js';
import type { FileMd5 } from '../../src/model/ids.js';
import type { IndexEntry } from '../../src/storage/index-record.js';
import { ShareIndex } from '../../src/storage/share-index.js';
import { md5, seededBytes } from '../support/files.js';
import { killBefore } from './crash-point.js';

/** An entry that is the same for the same number; of three parts. */
export function entryOf(number: number, changes: Partial<IndexEntry> = {}): IndexEntry {
  const identity = {
    size: 10_000,
    mtimeNs: `${number}`,
    ctimeNs: '1700000000123456789',
    ino: '77',
    dev: '2049',
  };
  return {
    path: `/shared/file ${number}\t"é".bin`,
    identity,
    md5: md5(Buffer.from(`${number}`)) as FileMd5,
    partSize: 4096,
    midstates: seededBytes(`${number}`, 32),
    ...changes,
  };
}

const [path, mode, number] = process.argv.slice(2);
if (process.argv[1] === import.meta.filename && path) {
  if (mode === 'open') await killBefore(Number(number));
  const index = await ShareIndex.open(path, silentLogger);
  if (mode === 'open') await index.put(entryOf(1_000_000));
  try {
    for (let i = 0; mode === 'append' && i < Number(number); i++) {
      await index.put(entryOf(i));
      process.stdout.write(`${i}\n`);
    }
  } finally {
    await index.close();
  }
}
