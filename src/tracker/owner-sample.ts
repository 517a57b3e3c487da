import { Coverage } from './coverage.js';

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

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const chosen = Math.floor(random() * (last + 1));
    [order[last], order[chosen]] = [order[chosen]!, order[last]!];
  }
  return order;
}
