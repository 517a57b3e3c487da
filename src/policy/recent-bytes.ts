/**
 * Bytes of the last 20 s, in periods of half that: the oldest of three counts by its share that is still inside. They are
 * RECENT_FIELDS numbers in a row of an array: when bytes were last added, what was added in that period, in the one before,
 * and in the one before that. All 0 at first.
 */

export const WINDOW_MS = 20_000;
const PERIOD_MS = WINDOW_MS / 2;

export const RECENT_FIELDS = 4;
const [CURRENT, PREVIOUS, OLDER] = [1, 2, 3];

/** Times are milliseconds and do not go backwards. */
export function addRecent(fields: Float64Array, at: number, bytes: number, now: number): void {
  const passed = Math.floor(now / PERIOD_MS) - Math.floor(fields[at]! / PERIOD_MS);
  if (passed > 0) {
    fields[at + OLDER] = passed === 1 ? fields[at + PREVIOUS]! : passed === 2 ? fields[at + CURRENT]! : 0;
    fields[at + PREVIOUS] = passed === 1 ? fields[at + CURRENT]! : 0;
    fields[at + CURRENT] = 0;
  }
  fields[at] = now;
  fields[at + CURRENT]! += bytes;
}

/** What was added in the window that ends now. */
export function recentWithin(fields: Float64Array, at: number, now: number): number {
  const period = Math.floor(now / PERIOD_MS);
  const passed = period - Math.floor(fields[at]! / PERIOD_MS);
  if (passed > 2) return 0;
  const inside = 1 - (now / PERIOD_MS - period);
  if (passed === 2) return Math.floor(fields[at + CURRENT]! * inside);
  if (passed === 1) return fields[at + CURRENT]! + Math.floor(fields[at + PREVIOUS]! * inside);
  return fields[at + CURRENT]! + fields[at + PREVIOUS]! + Math.floor(fields[at + OLDER]! * inside);
}

/** Bytes were added since it was cleared, however long ago. */
export function hasRecent(fields: Float64Array, at: number): boolean {
  return fields[at + CURRENT] !== 0;
}

export function clearRecent(fields: Float64Array, at: number): void {
  // Memory that was never written to is never taken.
  if (hasRecent(fields, at)) fields.fill(0, at, at + RECENT_FIELDS);
}
