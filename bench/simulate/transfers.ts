const NOBODY = -1;

/**
 * The parts on their way. A transfer is numbered by the node that sends and the slot it takes there.
 *
 * Invariant: `edge` is -1 exactly for a slot in which nothing is sent; `active` counts the others of a node.
 */
export class Transfers {
  /** By transfer: the sender's edge to the receiver. */
  readonly edge: Int32Array;
  readonly to: Int32Array;
  readonly part: Int32Array;
  /** By transfer: what of the receiver's download rate it takes. */
  readonly rate: Float64Array;
  /** By transfer: 1 when the receiver gets the part from another node, too. */
  readonly isDouble: Uint8Array;
  /** By node. */
  readonly active: Uint8Array;
  readonly #slots: number;

  constructor(nodes: number, slots: number) {
    this.#slots = slots;
    this.edge = new Int32Array(nodes * slots).fill(NOBODY);
    this.to = new Int32Array(nodes * slots);
    this.part = new Int32Array(nodes * slots);
    this.rate = new Float64Array(nodes * slots);
    this.isDouble = new Uint8Array(nodes * slots);
    this.active = new Uint8Array(nodes);
  }

  isFull(node: number): boolean {
    return this.active[node] === this.#slots;
  }

  /** Takes a free slot of the node, of which there must be one. */
  begin(node: number, edge: number, to: number, part: number): number {
    let transfer = node * this.#slots;
    while (this.edge[transfer] !== NOBODY) transfer++;
    this.edge[transfer] = edge;
    this.to[transfer] = to;
    this.part[transfer] = part;
    this.active[node]!++;
    return transfer;
  }

  end(transfer: number): void {
    this.edge[transfer] = NOBODY;
    this.active[this.senderOf(transfer)]!--;
  }

  senderOf(transfer: number): number {
    return Math.floor(transfer / this.#slots);
  }
}
