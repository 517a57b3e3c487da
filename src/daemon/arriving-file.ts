/** Reading a file while it is downloaded: what the reader needs next is fetched first. */
import { open } from 'node:fs/promises';
import { type PartGeometry, partLength, partOffset } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import type { Reading } from '../policy/part-picker.js';
import { diskError } from '../storage/disk-error.js';

const CHUNK = 262_144;

/** What is read: a download under way. */
export interface ArrivingFile {
  readonly geometry: PartGeometry;
  /** Of the data, whatever it is named later on. */
  readonly dataPath: string;
  follow(part: PartIndex): Reading;
  /** See PartArrivals.wait. */
  arrival(part: PartIndex, signal: AbortSignal): Promise<void>;
}

/**
 * The bytes from `start` up to `end`, not included, each as soon as its part is here. Throws OperationalError when the
 * download ends before, when `signal` aborts, and what the disk says.
 */
export async function* readArriving(
  file: ArrivingFile,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const { geometry } = file;
  const partAt = (position: number) => Math.floor(position / geometry.partSize) as PartIndex;
  if (start >= end) return;
  const reading = file.follow(partAt(start));
  // A descriptor of its own: the download may end meanwhile and close its.
  const data = await open(file.dataPath).catch((error: unknown) => {
    reading.end();
    throw diskError(error, file.dataPath);
  });
  try {
    for (let position = start; position < end; ) {
      const part = partAt(position);
      reading.moveTo(part);
      await file.arrival(part, signal);
      const partEnd = Math.min(end, partOffset(geometry, part) + partLength(geometry, part));
      while (position < partEnd) {
        const length = Math.min(CHUNK, partEnd - position);
        const { bytesRead, buffer } = await data.read(Buffer.allocUnsafe(length), 0, length, position);
        if (bytesRead === 0) throw diskError({ code: 'EIO' }, file.dataPath);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
  } finally {
    reading.end();
    await data.close();
  }
}
