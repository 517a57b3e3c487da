/** What a simulated swarm is judged by. */
export interface SwarmCounts {
  /** When each peer was complete, from its arrival on, in milliseconds; -1 when it never was. */
  readonly completionMs: Float64Array;
  readonly lastMs: number;
  /** Parts that arrived a second time, by the share that was sent. */
  readonly duplicateParts: number;
  readonly sentBySeeds: number;
  /** Of the slots of those who upload, until the last peer was complete: the share of time in which a part was sent. */
  readonly slotUse: number;
  /** Of the copies in the swarm over the parts, 1 when all are equally common; the mean over time. */
  readonly entropy: number;
}

const NEVER = -1;

/** Counts along with a swarm. Times are milliseconds. */
export class Tally {
  duplicateParts = 0;
  sentBySeeds = 0;
  busySlotMs = 0;
  slotMs = 0;
  readonly #arrivedAt: Float64Array;
  readonly #completeAt: Float64Array;
  readonly #copies: Uint32Array;
  #entropySum = 0;
  #samples = 0;

  constructor(nodes: number, parts: number) {
    this.#arrivedAt = new Float64Array(nodes);
    this.#completeAt = new Float64Array(nodes).fill(NEVER);
    this.#copies = new Uint32Array(parts);
  }

  arrives(node: number, at: number): void {
    this.#arrivedAt[node] = at;
  }

  arrivedAt(node: number): number {
    return this.#arrivedAt[node]!;
  }

  landed(part: number): void {
    this.#copies[part]!++;
  }

  completed(peer: number, at: number): void {
    this.#completeAt[peer] = at;
  }

  /** Looks at how common the parts are. */
  sample(): void {
    const total = this.#copies.reduce((sum, copies) => sum + copies, 0);
    if (total === 0) return;
    let entropy = 0;
    for (const copies of this.#copies) {
      if (copies > 0) entropy -= (copies / total) * Math.log(copies / total);
    }
    this.#entropySum += this.#copies.length === 1 ? 1 : entropy / Math.log(this.#copies.length);
    this.#samples++;
  }

  /** @param slotMs of the slots that are still there */
  counts(peers: number, now: number, slotMs: number): SwarmCounts {
    return {
      completionMs: this.#completeAt
        .slice(0, peers)
        .map((at, peer) => (at === NEVER ? NEVER : at - this.#arrivedAt[peer]!)),
      lastMs: now,
      duplicateParts: this.duplicateParts,
      sentBySeeds: this.sentBySeeds,
      slotUse: this.busySlotMs / (this.slotMs + slotMs),
      entropy: this.#entropySum / Math.max(1, this.#samples),
    };
  }
}
