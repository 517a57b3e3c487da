import { type Random, shuffle } from './random.js';

const ROUNDS = 20;

/**
 * Who knows whom. A node has a row of places; an edge is the number of a place in the row of one of its two ends. A
 * place keeps its number while the neighbour stays.
 *
 * Invariant: `back[edge]` is the edge of the other end, and `back[back[edge]] === edge`; a free place has node -1.
 */
export class Neighbourhood {
  /** Places in a row. */
  readonly places: number;
  /** The node at the other end, by edge; -1: nobody. */
  readonly node: Int32Array;
  readonly back: Int32Array;
  readonly degree: Uint16Array;

  constructor(nodes: number, places: number) {
    this.places = places;
    this.node = new Int32Array(nodes * places).fill(-1);
    this.back = new Int32Array(nodes * places).fill(-1);
    this.degree = new Uint16Array(nodes);
  }

  /** False when they know each other already, are the same, or one has no place left. */
  connect(one: number, other: number): boolean {
    if (one === other || this.degree[one] === this.places || this.degree[other] === this.places) return false;
    if (this.#find(one, other) >= 0) return false;
    const [edge, back] = [this.#find(one, -1), this.#find(other, -1)];
    this.node[edge] = other;
    this.node[back] = one;
    this.back[edge] = back;
    this.back[back] = edge;
    this.degree[one]!++;
    this.degree[other]!++;
    return true;
  }

  disconnect(edge: number): void {
    const back = this.back[edge]!;
    this.degree[this.node[edge]!]!--;
    this.degree[this.node[back]!]!--;
    for (const end of [edge, back]) {
      this.node[end] = -1;
      this.back[end] = -1;
    }
  }

  /** Connects nodes 0 … nodes-1 at random until each has `wanted` neighbours, but for the few that find no match. */
  connectAll(nodes: number, wanted: number, random: Random): void {
    for (let round = 0; round < ROUNDS; round++) {
      const ends: number[] = [];
      for (let node = 0; node < nodes; node++) {
        for (let free = wanted - this.degree[node]!; free > 0; free--) ends.push(node);
      }
      const order = Int32Array.from(ends);
      shuffle(order, random);
      for (let at = 0; at + 1 < order.length; at += 2) this.connect(order[at]!, order[at + 1]!);
    }
  }

  #find(node: number, neighbour: number): number {
    const first = node * this.places;
    const at = this.node.subarray(first, first + this.places).indexOf(neighbour);
    return at < 0 ? -1 : first + at;
  }
}
