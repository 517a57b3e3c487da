/** What a table lists: it leaves the lists later than it ends. */
export interface Listed {
  readonly isLive: boolean;
}

/**
 * Lists of entries by number, for searches that look at every entry they find: an entry that has ended stays in its
 * lists until half of a list has ended, so that adding and ending cost the same however long the lists are.
 *
 * Invariant: `#dead[n]` is the number of entries in list n that are not live, at most half of them.
 */
export class ListTable<Entry extends Listed> {
  readonly #lists: (Entry[] | undefined)[];
  readonly #dead: Uint32Array;

  constructor(size: number) {
    this.#lists = new Array<Entry[] | undefined>(size).fill(undefined);
    this.#dead = new Uint32Array(size);
  }

  add(list: number, entry: Entry): void {
    const entries = this.#lists[list];
    if (entries === undefined) this.#lists[list] = [entry];
    else entries.push(entry);
  }

  /** An entry of this list is not live any more. */
  ended(list: number): void {
    const entries = this.#lists[list]!;
    this.#dead[list]! += 1;
    if (this.#dead[list]! * 2 <= entries.length) return;
    const live = entries.filter(({ isLive }) => isLive);
    this.#lists[list] = live.length === 0 ? undefined : live;
    this.#dead[list] = 0;
  }

  /** The live entries and at most as many ended ones. */
  entries(list: number): readonly Entry[] {
    return this.#lists[list] ?? [];
  }

  /** How many `entries` gives. */
  length(list: number): number {
    return this.#lists[list]?.length ?? 0;
  }
}
