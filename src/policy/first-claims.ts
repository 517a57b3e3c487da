import type { ContenderTable } from './contender-table.js';

/** Those with the best claims among any number of contenders. */
export class FirstClaims {
  /** The best first. */
  readonly rows: number[] = [];
  readonly #claims: number[] = [];
  readonly #table: ContenderTable;
  readonly #count: number;
  readonly #holdersFirst: boolean;

  /**
   * @param count how many are kept at most
   * @param holdersFirst of equal claims that of a holder is better; else that of who has no slot
   */
  constructor(table: ContenderTable, count: number, holdersFirst: boolean) {
    this.#table = table;
    this.#count = count;
    this.#holdersFirst = holdersFirst;
  }

  add(row: number, claim: number): void {
    let at = this.rows.length;
    if (at >= this.#count && (at === 0 || !this.#isBefore(row, claim, at - 1))) return;
    if (at >= this.#count) at--;
    for (; at > 0 && this.#isBefore(row, claim, at - 1); at--) {
      this.rows[at] = this.rows[at - 1]!;
      this.#claims[at] = this.#claims[at - 1]!;
    }
    this.rows[at] = row;
    this.#claims[at] = claim;
  }

  /** Equals of the same kind go by how long they hold or wait, then in the order of coming. */
  #isBefore(row: number, claim: number, at: number): boolean {
    if (claim !== this.#claims[at]) return claim > this.#claims[at]!;
    const other = this.rows[at]!;
    const holds = this.#table.holds(row);
    if (holds !== this.#table.holds(other)) return holds === this.#holdersFirst;
    return this.#table.since(row) < this.#table.since(other);
  }
}
