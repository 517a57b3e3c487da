interface Owner {
  /** The PartList's bytes; null: all parts. */
  readonly parts: Uint8Array | null;
}

/**
 * At most `limit` of the owners, at random (`random` as Math.random), such that nobody left out owns a part
 * that nobody in the sample owns (PROTOCOL.md §3, FCHU), as far as `limit` allows.
 *
 * In a random order, whoever adds a part to those before it is needed; the rest fill up in the same order.
 */
export function sampleOwners<T extends Owner>(
  owners: readonly T[],
  partCount: number,
  limit: number,
  random: () => number,
): readonly T[] {
  if (owners.length <= limit) return owners;
  const order = shuffled(owners, random);
  const coverage = new Coverage(partCount);
  const needed: T[] = [];
  const others: T[] = [];
  for (const owner of order) {
    if (needed.length === limit) return needed;
    if (coverage.add(owner.parts)) needed.push(owner);
    else if (others.length < limit) others.push(owner);
    if (coverage.isComplete && needed.length + others.length >= limit) break;
  }
  return [...needed, ...others.slice(0, limit - needed.length)];
}

/** The parts that the owners added so far have between them. */
class Coverage {
  readonly #covered: Uint8Array;
  #missing: number;

  constructor(partCount: number) {
    this.#covered = new Uint8Array(Math.ceil(partCount / 8));
    this.#missing = partCount;
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

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const chosen = Math.floor(random() * (last + 1));
    [order[last], order[chosen]] = [order[chosen]!, order[last]!];
  }
  return order;
}
