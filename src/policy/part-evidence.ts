/**
 * Who sent what for parts that did not link, so that the liars are known once the right bytes are: two copies of a part
 * are the same when MD5 leads them from the same state to the same state.
 *
 * Invariant: an entry stands for the last copy that its sender sent and that did not link. It is `onDisk` when that is
 * what the part was last judged by, and cleared when that linked; `#accused` counts each sender's entries that are not
 * cleared.
 */
import type { PartIndex } from '../model/ids.js';
import type { Step } from './midstate-chain.js';
import { equal, type MidstateList } from './midstate-list.js';

interface Entry {
  steps: readonly Step[];
  onDisk: boolean;
  /** The sender has sent two different copies: whichever is right, the other is not. */
  wavered: boolean;
  cleared: boolean;
}

export class PartEvidence {
  readonly #parts = new Map<PartIndex, Map<number, Entry>>();
  readonly #accused = new Map<number, number>();

  /** States that the part must be hashed from as well, so that `judged` can compare its bytes with those of before. */
  starts(part: PartIndex): Uint8Array[] {
    return [...(this.#parts.get(part)?.values() ?? [])].map(({ steps }) => steps[0]!.from);
  }

  /** The bytes on disk, from `sender`, were hashed, from `starts` as well, and judged. */
  judged(part: PartIndex, sender: number, steps: readonly Step[], links: boolean): void {
    let entries = this.#parts.get(part);
    if (entries === undefined) {
      if (links) return;
      entries = new Map();
      this.#parts.set(part, entries);
    }
    for (const entry of entries.values()) {
      entry.onDisk = sameBytes(entry.steps, steps);
      if (entry.onDisk) entry.steps = joined(entry.steps, steps);
    }
    if (!links) this.#fails(entries, sender, steps);
    for (const [from, entry] of entries) this.#clear(from, entry, links && entry.onDisk && !entry.wavered);
  }

  /** Senders whose bytes for the part are known to link under none of `lists`. Those on disk must not link. */
  tried(part: PartIndex, lists: readonly MidstateList[]): Set<number> {
    const tried = new Set<number>();
    for (const [sender, { steps, onDisk }] of this.#parts.get(part) ?? []) {
      if (onDisk || lists.every((list) => failsUnder(list, part, steps))) tried.add(sender);
    }
    return tried;
  }

  /** Senders with an entry for the part. */
  sendersOf(part: PartIndex): number[] {
    return [...(this.#parts.get(part)?.keys() ?? [])];
  }

  /** The sender sent a part that does not link, as far as is known. */
  isAccused(sender: number): boolean {
    return this.#accused.has(sender);
  }

  /** How many senders are accused. */
  get accused(): number {
    return this.#accused.size;
  }

  /** Senders of other bytes than those on disk. */
  get differing(): number[] {
    const differing = new Set<number>();
    for (const entries of this.#parts.values()) {
      for (const [sender, { onDisk, wavered }] of entries) if (!onDisk || wavered) differing.add(sender);
    }
    return [...differing];
  }

  /** How many parts failed to link at some time. */
  get parts(): number {
    return this.#parts.size;
  }

  #fails(entries: Map<number, Entry>, sender: number, steps: readonly Step[]): void {
    const entry = entries.get(sender);
    if (entry === undefined) {
      entries.set(sender, { steps, onDisk: true, wavered: false, cleared: true });
    } else if (!entry.onDisk) {
      entry.steps = steps;
      entry.onDisk = true;
      entry.wavered = true;
    }
  }

  #clear(sender: number, entry: Entry, cleared: boolean): void {
    if (entry.cleared === cleared) return;
    entry.cleared = cleared;
    const count = (this.#accused.get(sender) ?? 0) + (cleared ? -1 : 1);
    if (count === 0) this.#accused.delete(sender);
    else this.#accused.set(sender, count);
  }
}

function failsUnder(list: MidstateList, part: PartIndex, steps: readonly Step[]): boolean {
  const step = stepFrom(steps, list.before(part));
  return step !== undefined && !step.salted && !equal(step.to, list.after(part));
}

/** The steps of two copies have a start in common. */
const sameBytes = (one: readonly Step[], other: readonly Step[]): boolean =>
  one.some(({ from, to }) => {
    const step = stepFrom(other, from);
    return step !== undefined && equal(step.to, to);
  });

const joined = (known: readonly Step[], more: readonly Step[]): readonly Step[] => [
  ...known,
  ...more.filter(({ from }) => stepFrom(known, from) === undefined),
];

const stepFrom = (steps: readonly Step[], state: Uint8Array): Step | undefined =>
  steps.find(({ from }) => equal(from, state));
