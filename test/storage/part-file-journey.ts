/** A process of the kill test: `node part-file-journey.js FOLDER STEP` downloads a file in two runs and dies at STEP. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { partGeometry, partIndexes, partLength, partOffset } from '../../src/model/geometry.js';
import { type FileMd5, parseFileMd5 } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';
import { journalOffset, STORED } from '../../src/storage/journal-layout.js';
import { PartFile } from '../../src/storage/part-file.js';
import { md5, seededBytes } from '../support/files.js';
import { killBefore } from './crash-point.js';

export const CONTENT = seededBytes('journey', 10_000);
export const MANIFEST = manifestOf(CONTENT, 4096);

export function manifestOf(content: Buffer, partSize: number): Manifest {
  const id = parseFileMd5(md5(content)) as FileMd5;
  return { md5: id, name: 'file', geometry: partGeometry(content.length, partSize) };
}

/** Stores the parts that are missing, `atMost` of them, as a worker does: the data, then the mark. */
export function storeParts(file: PartFile, { geometry }: Manifest, content: Buffer, atMost = Infinity): void {
  let left = atMost;
  for (const part of partIndexes(geometry)) {
    if (file.stored.has(part) || left-- <= 0) continue;
    const at = partOffset(geometry, part);
    writeSync(file.dataFd, content, at, partLength(geometry, part), at);
    writeSync(file.journalFd, Buffer.from([STORED]), 0, 1, journalOffset(part));
  }
}

/** One run of a download: two parts and an interruption, or all and the end. */
export async function run(target: string, end: 'interrupted' | 'finished'): Promise<void> {
  const file = await PartFile.open({ target, manifest: MANIFEST, force: false });
  storeParts(file, MANIFEST, CONTENT, end === 'interrupted' ? 2 : Infinity);
  if (end === 'finished') await file.finish();
  await file.close();
}

const [folder, step] = process.argv.slice(2);
if (process.argv[1] === import.meta.filename && folder) {
  await killBefore(Number(step));
  await run(join(folder, 'file'), 'interrupted');
  await run(join(folder, 'file'), 'finished');
}
