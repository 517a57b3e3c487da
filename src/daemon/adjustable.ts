/** What may be changed of a node while it runs, and the bounds it is kept within. */
import { UsageError } from '../core/errors.js';
import type { FileMd5 } from '../model/ids.js';

/** Below, no request would end before the other side's timeouts (PROTOCOL.md §4). */
export const SLOWEST_RATE = 1_024;
export const MOST_SLOTS = 1_000;
export const MOST_LIMITED_FILES = 10_000;

/** Bytes a second; null: no limit. */
export interface Limits {
  readonly upload: number | null;
  readonly download: number | null;
}

/** All changes hold at once, for what is under way, too. What is left out stays. They throw UsageError 'BAD_LIMIT'. */
export interface Adjustable {
  /** For all files together. */
  setLimits(limits: Partial<Limits>): void;
  /** For one file, besides those for all; it need not be here. */
  setFileLimits(md5: FileMd5, limits: Partial<Limits>): void;
  /** Upload slots, of which there are more while the uplink has room. */
  setSlots(slots: number): void;
}

export function checkLimits(limits: Partial<Limits>): void {
  for (const [direction, rate] of Object.entries(limits)) {
    if (rate === null || (Number.isSafeInteger(rate) && rate >= SLOWEST_RATE)) continue;
    const message = `the ${direction} limit ${rate} is not valid; expected a whole number of bytes per second, at least ${SLOWEST_RATE}, or none`;
    throw new UsageError('BAD_LIMIT', message);
  }
}

export function checkSlots(slots: number): void {
  if (Number.isInteger(slots) && slots >= 1 && slots <= MOST_SLOTS) return;
  throw new UsageError(
    'BAD_LIMIT',
    `${slots} slots are not possible; expected a whole number from 1 to ${MOST_SLOTS}`,
  );
}
