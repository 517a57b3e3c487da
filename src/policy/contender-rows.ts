import { ContenderTable, UNKNOWN } from './contender-table.js';

/** Which rows of a table are a choker's, and whose they are. */
export interface ContenderRows<K> {
  readonly table: ContenderTable;
  /** Rows from here up to but not `end` are the choker's, those that are free among them. */
  readonly first: number;
  readonly end: number;
  /** Peers that have a row. */
  readonly size: number;
  peerOf(row: number): K;
  /** -1 for a peer without one. */
  find(peer: K): number;
  /** A row for a peer that has none; it is UNKNOWN. */
  add(peer: K): number;
  remove(row: number): void;
}

const FIRST_ROWS = 16;

/**
 * Rows for peers of any kind, in a table of their own that grows.
 *
 * Invariant: a row below `end` is in `#rowOf` once or in `#free` once.
 */
export class KeyedRows<K> implements ContenderRows<K> {
  readonly table = new ContenderTable(FIRST_ROWS);
  readonly first = 0;
  readonly #rowOf = new Map<K, number>();
  readonly #peers: (K | null)[] = [];
  readonly #free: number[] = [];

  get end(): number {
    return this.#peers.length;
  }

  get size(): number {
    return this.#rowOf.size;
  }

  peerOf(row: number): K {
    return this.#peers[row]!;
  }

  find(peer: K): number {
    return this.#rowOf.get(peer) ?? -1;
  }

  add(peer: K): number {
    const row = this.#free.pop() ?? this.#peers.length;
    if (row === this.table.rows) this.table.grow(2 * row);
    this.#peers[row] = peer;
    this.#rowOf.set(peer, row);
    return row;
  }

  remove(row: number): void {
    this.#rowOf.delete(this.#peers[row]!);
    this.#peers[row] = null;
    this.table.standing[row] = UNKNOWN;
    this.#free.push(row);
  }
}
