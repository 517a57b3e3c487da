import { ProtocolError } from '../core/errors.js';
import type { PartIndex } from './ids.js';

/** How a file is cut into parts (PROTOCOL.md §1). All sizes in bytes; made only by `partGeometry`. */
export interface PartGeometry {
  readonly fileSize: number;
  readonly partSize: number;
  /** ceil(fileSize / partSize); 0 for an empty file. */
  readonly partCount: number;
}

/** The LenPart of every file this project shares (PROTOCOL.md §1). */
export const DEFAULT_PART_SIZE = 262_144;
/** Ten digits of LenFile. */
export const MAX_FILE_SIZE = 9_999_999_999;
/** Six digits of LenPart. */
export const MAX_PART_SIZE = 999_999;
/** Trackers and clients refuse more parts than this (PROTOCOL.md §1). */
export const MAX_PART_COUNT = 262_144;

/** Throws ProtocolError 'GEOMETRY' when a size is outside PROTOCOL.md §1's ranges or gives too many parts. */
export function partGeometry(fileSize: number, partSize: number): PartGeometry {
  if (!isGeometry(fileSize, partSize)) {
    throw new ProtocolError('GEOMETRY', `no such geometry: ${fileSize} B in parts of ${partSize} B`);
  }
  return { fileSize, partSize, partCount: Math.ceil(fileSize / partSize) };
}

/** Whether `partGeometry` accepts these sizes. */
export function isGeometry(fileSize: number, partSize: number): boolean {
  return (
    Number.isInteger(fileSize) &&
    Number.isInteger(partSize) &&
    fileSize >= 0 &&
    fileSize <= MAX_FILE_SIZE &&
    partSize >= 1 &&
    partSize <= MAX_PART_SIZE &&
    Math.ceil(fileSize / partSize) <= MAX_PART_COUNT
  );
}

/** Where the part begins in its file, in bytes. */
export function partOffset(geometry: PartGeometry, part: PartIndex): number {
  return part * geometry.partSize;
}

/** The part's length in bytes; only the last part may be shorter than partSize. */
export function partLength(geometry: PartGeometry, part: PartIndex): number {
  return Math.min(geometry.partSize, geometry.fileSize - part * geometry.partSize);
}

/** The one way from a number to a PartIndex; null when the file has no such part. */
export function partIndex(geometry: PartGeometry, n: number): PartIndex | null {
  return Number.isInteger(n) && n >= 0 && n < geometry.partCount ? (n as PartIndex) : null;
}

/** Every part of the file, ascending. */
export function* partIndexes(geometry: PartGeometry): Iterable<PartIndex> {
  for (let n = 0; n < geometry.partCount; n++) yield n as PartIndex;
}

export function sameGeometry(a: PartGeometry, b: PartGeometry): boolean {
  return a.fileSize === b.fileSize && a.partSize === b.partSize;
}
