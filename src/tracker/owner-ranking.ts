/**
 * The files by how many owners they have.
 *
 * Invariant: a file with n > 0 owners is in `#byOwners` under n alone; no set there is empty.
 */
export class OwnerRanking<File> {
  readonly #byOwners = new Map<number, Set<File>>();

  /** The file had `before` owners and has `now`; 0: it was, or is, not ranked. */
  moved(file: File, before: number, now: number): void {
    const left = this.#byOwners.get(before);
    left?.delete(file);
    if (left?.size === 0) this.#byOwners.delete(before);
    if (now === 0) return;
    const joined = this.#byOwners.get(now);
    if (joined === undefined) this.#byOwners.set(now, new Set([file]));
    else joined.add(file);
  }

  /**
   * The `limit` files with the most owners among those that match, most first, or all that match if they are fewer; null
   * when that takes more than `tests` files to look at.
   */
  first(limit: number, tests: number, matches: (file: File) => boolean): File[] | null {
    const found: File[] = [];
    let left = tests;
    // As few different counts as fit into the number of ownerships: thousands where those are millions.
    for (const owners of [...this.#byOwners.keys()].sort((a, b) => b - a)) {
      for (const file of this.#byOwners.get(owners)!) {
        if (found.length === limit) return found;
        if (left === 0) return null;
        left -= 1;
        if (matches(file)) found.push(file);
      }
    }
    return found;
  }
}
