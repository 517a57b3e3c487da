/** Bytes of the last 20 s, in periods of half that: the oldest of three counts by its share that is still inside. */

export const WINDOW_MS = 20_000;
const PERIOD_MS = WINDOW_MS / 2;

/** Of a row: the number of its period, and what was added in that one, in the one before, and in the one before that. */
const FIELDS = 4;
const [CURRENT, PREVIOUS, OLDER] = [1, 2, 3];

/** Counts of many, by row, all 0 at first. */
export class RecentBytes {
  #fields: Float64Array;

  constructor(rows: number) {
    this.#fields = new Float64Array(rows * FIELDS);
  }

  /** Makes room for so many rows, which are more than before. */
  grow(rows: number): void {
    const fields = new Float64Array(rows * FIELDS);
    fields.set(this.#fields);
    this.#fields = fields;
  }

  /** Times are milliseconds and do not go backwards. */
  add(row: number, bytes: number, now: number): void {
    this.#moveTo(row, now);
    this.#fields[row * FIELDS + CURRENT]! += bytes;
  }

  /** What was added in the window that ends now. */
  within(row: number, now: number): number {
    this.#moveTo(row, now);
    const [fields, at] = [this.#fields, row * FIELDS];
    const elapsed = now / PERIOD_MS - fields[at]!;
    return fields[at + CURRENT]! + fields[at + PREVIOUS]! + Math.floor(fields[at + OLDER]! * (1 - elapsed));
  }

  clear(row: number): void {
    const [fields, at] = [this.#fields, row * FIELDS];
    // Memory that is never written to is never taken.
    if (fields[at] !== 0 || fields[at + CURRENT] !== 0) fields.fill(0, at, at + FIELDS);
  }

  #moveTo(row: number, now: number): void {
    const [fields, at] = [this.#fields, row * FIELDS];
    const period = Math.floor(now / PERIOD_MS);
    const passed = period - fields[at]!;
    if (passed <= 0) return;
    fields[at + OLDER] = passed === 1 ? fields[at + PREVIOUS]! : passed === 2 ? fields[at + CURRENT]! : 0;
    fields[at + PREVIOUS] = passed === 1 ? fields[at + CURRENT]! : 0;
    fields[at + CURRENT] = 0;
    fields[at] = period;
  }
}
