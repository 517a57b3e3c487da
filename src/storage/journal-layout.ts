/**
 * Where things lie in `NAME.part.journal`: a text header of fixed length, then one byte a part. A part's byte is
 * written by the worker that stored the part, right after its data; nothing else of the file changes meanwhile.
 */

/** Bytes of the header. */
export const JOURNAL_HEADER = 256;
/** The byte of a part whose data is in the data file; any other byte means that it has to be fetched. */
export const STORED = 1;
export const MISSING = 0;

/** Byte position of a part's mark in the journal. */
export function journalOffset(part: number): number {
  return JOURNAL_HEADER + part;
}
