/** The parts that the owners added so far have between them. */
export class Coverage {
  readonly #partCount: number;
  readonly #covered: Uint8Array;
  #missing: number;

  constructor(partCount: number) {
    this.#partCount = partCount;
    this.#covered = new Uint8Array(Math.ceil(partCount / 8));
    this.#missing = partCount;
  }

  /** How many parts they have between them. */
  get covered(): number {
    return this.#partCount - this.#missing;
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** Whether these parts held one that was not covered before. */
  add(parts: Uint8Array | null): boolean {
    const before = this.#missing;
    if (before === 0) return false;
    if (parts === null) {
      this.#missing = 0;
      return true;
    }
    for (let at = 0; at < parts.length; at += 1) {
      const fresh = parts[at]! & ~this.#covered[at]!;
      if (fresh === 0) continue;
      this.#covered[at]! |= fresh;
      for (let bits = fresh; bits !== 0; bits &= bits - 1) this.#missing -= 1;
    }
    return this.#missing < before;
  }
}
