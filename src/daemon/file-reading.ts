/** Reading a file that is here, or on its way: what the reader needs next is fetched first. */
import { OperationalError } from '../core/errors.js';
import { type PartGeometry, partLength, partOffset } from '../model/geometry.js';
import type { FileMd5, PartIndex } from '../model/ids.js';
import type { UploadPace } from '../net/handler.js';
import type { Reading } from '../policy/part-picker.js';
import type { PartBytes, PartReads } from '../swarm/part-reads.js';
import type { ServedFile } from '../swarm/upload.js';

/** A download under way. */
export interface ArrivingFile {
  readonly geometry: PartGeometry;
  /** Of the data, whatever it is named later on. */
  readonly dataPath: string;
  follow(part: PartIndex): Reading;
  /** See PartArrivals.wait. */
  arrival(part: PartIndex, signal: AbortSignal): Promise<void>;
}

export interface FileToRead {
  readonly md5: FileMd5;
  readonly geometry: PartGeometry;
  /** Null: it was here whole. */
  readonly arriving: ArrivingFile | null;
  /** What can be read of it now; null: it is gone. It may be another than before, when a download has ended. */
  find(): ServedFile | null;
  readonly reads: Pick<PartReads, 'read'>;
  /** Null: at full speed. */
  readonly pace: UploadPace | null;
}

/**
 * The bytes from `start` up to `end`, not included, each as soon as its part is here. What was given may be touched until
 * the next is asked for. Throws OperationalError when a part cannot be had any more, and when `signal` aborts.
 */
export async function* readParts(
  file: FileToRead,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  const { geometry, arriving } = file;
  if (start >= end) return;
  const partAt = (position: number) => Math.floor(position / geometry.partSize) as PartIndex;
  const reading = arriving?.follow(partAt(start)) ?? null;
  const read = async (position: number): Promise<PartBytes> => {
    const part = partAt(position);
    await arriving?.arrival(part, signal);
    const served = file.find();
    const origin = served?.geometry.partSize === geometry.partSize ? served.origin(part) : null;
    if (served === null || origin === null) throw gone();
    const offset = partOffset(geometry, part);
    const range = { from: position - offset, to: Math.min(end - offset, partLength(geometry, part)) };
    return file.reads.read({ md5: file.md5, part, file: served, origin }, range, signal);
  };
  let next: Promise<PartBytes> | null = read(start);
  try {
    while (next !== null) {
      const bytes: PartBytes = await next;
      next = null;
      try {
        const part = partAt(start);
        start = Math.min(end, partOffset(geometry, part) + partLength(geometry, part));
        if (start < end) {
          reading?.moveTo(partAt(start));
          // Read while this one is sent.
          next = read(start);
          next.catch(() => {});
        }
        yield* paced(bytes.views, file.pace, signal);
      } finally {
        bytes.release();
      }
    }
  } finally {
    reading?.end();
    next?.then(
      (bytes) => bytes.release(),
      () => {},
    );
  }
}

/** As much at once as the pace allows; all of it while there is no limit. */
async function* paced(
  views: readonly Buffer[],
  pace: UploadPace | null,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  if (pace === null || pace.slice === Number.POSITIVE_INFINITY) {
    yield views;
    return;
  }
  for (const view of views) {
    for (let at = 0; at < view.length; ) {
      const slice = view.subarray(at, at + pace.slice);
      const wait = pace.wait(slice.length);
      if (wait !== null) {
        const cancel = () => wait.cancel();
        signal.addEventListener('abort', cancel);
        await wait.over;
        signal.removeEventListener('abort', cancel);
        if (signal.aborted) throw gone();
      }
      yield [slice];
      at += slice.length;
    }
  }
}

const gone = (): OperationalError =>
  new OperationalError('interrupted', 'INTERRUPTED', 'the file is not here any more, or its reader has gone');
