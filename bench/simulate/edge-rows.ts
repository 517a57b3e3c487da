import type { ContenderRows } from '../../src/policy/contender-rows.js';
import { type ContenderTable, UNKNOWN } from '../../src/policy/contender-table.js';

/** The rows of one node in a table that all nodes share: peers are edges, and an edge is its row. */
export class EdgeRows implements ContenderRows<number> {
  readonly table: ContenderTable;
  readonly first: number;
  readonly end: number;
  #size = 0;

  constructor(table: ContenderTable, first: number, end: number) {
    this.table = table;
    this.first = first;
    this.end = end;
  }

  get size(): number {
    return this.#size;
  }

  peerOf(row: number): number {
    return row;
  }

  find(edge: number): number {
    return this.table.standing[edge] === UNKNOWN ? -1 : edge;
  }

  add(edge: number): number {
    this.#size++;
    return edge;
  }

  remove(row: number): void {
    this.table.standing[row] = UNKNOWN;
    this.#size--;
  }
}
