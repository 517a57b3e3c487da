/**
 * Which parts bear out a list of midstates, and which of two lists is right (PROTOCOL.md §7.2).
 *
 * A part *links* when MD5 over its bytes leads from the state before it to the state behind it. When all parts link,
 * Filemd5 is proven and with it every byte and every state. Until then a list is only what its sources claim; one is
 * *followed*, and another that differs from it *challenges* it. The two agree on everything behind the last part that
 * they let begin in different states, and no bytes lead from two known states to the same one (that would be a preimage
 * of MD5's): so the bytes of that single part, from whomever they are, show which of the two lies.
 *
 * Invariant: `#linked` has the parts whose bytes linked under the followed list when they were last judged. The part that
 * decides a dispute is none of them.
 */
import type { PartIndex } from '../model/ids.js';
import { PartList } from '../model/part-list.js';
import { equal, type MidstateList } from './midstate-list.js';

/** MD5 over a part's bytes leads from one state to another. */
export interface Step {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** For the last part: it leads to Filemd5 with an owner's addresses behind the bytes (PROTOCOL.md §6). */
  readonly salted: boolean;
}

/**
 * 'contested': the part links under the challenger only, so that its sender may be right. 'unknown': the bytes have to be
 * hashed from the states in `starts` first.
 */
export type Verdict = 'links' | 'contested' | 'fails' | 'unknown';

interface Dispute {
  readonly challenger: MidstateList;
  /** The part whose bytes decide. */
  readonly part: PartIndex;
}

/** What was claimed by a list that is not followed any more, or never was. */
interface Claim {
  readonly sources: readonly number[];
  readonly part: PartIndex;
  /** The state before the part. */
  readonly state: Uint8Array;
  readonly refuted: boolean;
}

export class MidstateChain {
  #list: MidstateList;
  /** Sources of the followed list and of lists equal to it. */
  #supporters: number[];
  #dispute: Dispute | null = null;
  readonly #linked: PartList;
  readonly #claims: Claim[] = [];
  readonly #doubtful: PartIndex[] = [];

  /** @param list the one to follow first */
  constructor(list: MidstateList) {
    this.#list = list;
    this.#supporters = [list.source];
    this.#linked = PartList.empty(list.partCount);
  }

  /** The list that is followed. */
  get list(): MidstateList {
    return this.#list;
  }

  /** The list that is followed, and its challenger. */
  get lists(): readonly MidstateList[] {
    return this.#dispute === null ? [this.#list] : [this.#list, this.#dispute.challenger];
  }

  /** How many sent the list that is followed. */
  get supporters(): number {
    return this.#supporters.length;
  }

  /** The part whose bytes decide between the list and its challenger; null without one. */
  get disputed(): PartIndex | null {
    return this.#dispute?.part ?? null;
  }

  /** Every byte of the file is proven. */
  get complete(): boolean {
    return this.#linked.isComplete;
  }

  get linkedCount(): number {
    return this.#linked.owned;
  }

  isLinked(part: PartIndex): boolean {
    return this.#linked.has(part);
  }

  /** Sources of lists that were shown to be wrong, if the rest of the list that showed it is right. */
  get refuted(): number[] {
    return this.#claims.flatMap(({ sources, refuted }) => (refuted ? sources : []));
  }

  /** Sources that claimed another state than the proven one. Only when complete. */
  get liars(): number[] {
    const wrong = this.#claims.filter(({ part, state }) => !equal(state, this.#list.before(part)));
    return wrong.flatMap(({ sources }) => sources);
  }

  /** Takes another list, while nothing is disputed: it supports the one followed, is refuted, or begins a dispute. */
  compare(list: MidstateList): void {
    const disputed = this.#list.partsFrom(list);
    if (disputed === null) this.#supporters.push(list.source);
    else if (this.#linked.has(disputed)) this.#claim([list.source], list, disputed, true);
    else this.#dispute = { challenger: list, part: disputed };
  }

  /** The states to hash the part from. */
  starts(part: PartIndex): Uint8Array[] {
    return this.lists.map((list) => list.before(part));
  }

  /**
   * Takes what the part's bytes were hashed to. It may settle the dispute: then another list may be followed, and parts
   * that do not link any more have to be judged anew.
   */
  judge(part: PartIndex, steps: readonly Step[]): Verdict {
    const verdict = this.#verdict(part, steps);
    if (verdict === 'links') this.#linked.add(part);
    else this.#linked.remove(part);
    return verdict;
  }

  /** The parts that linked under a list that is not followed any more, given out once. */
  takeDoubtful(): PartIndex[] {
    return this.#doubtful.splice(0);
  }

  /** Drops the challenger: no bytes that can be had decide. */
  dismiss(): void {
    this.#endDispute(false);
  }

  #verdict(part: PartIndex, steps: readonly Step[]): Verdict {
    const verdict = verdictOf(this.#list, part, steps);
    if (this.#dispute === null) return verdict;
    const { challenger, part: disputed } = this.#dispute;
    const other = verdictOf(challenger, part, steps);
    if (part === disputed && verdict === 'links') this.#endDispute(true);
    else if (part === disputed && other === 'links') this.#follow(challenger, disputed);
    else if (verdict !== 'links') return underEither(verdict, other);
    return 'links';
  }

  #follow(list: MidstateList, disputed: PartIndex): void {
    const before = this.#list;
    this.#claim(this.#supporters, before, disputed, true);
    this.#list = list;
    this.#supporters = [list.source];
    for (const part of this.#linked) {
      if (list.agreesOn(part, before)) continue;
      this.#linked.remove(part);
      this.#doubtful.push(part);
    }
    this.#dispute = null;
  }

  /** The challenger is not followed. */
  #endDispute(refuted: boolean): void {
    if (this.#dispute === null) return;
    const { challenger, part } = this.#dispute;
    this.#claim([challenger.source], challenger, part, refuted);
    this.#dispute = null;
  }

  #claim(sources: readonly number[], list: MidstateList, part: PartIndex, refuted: boolean): void {
    this.#claims.push({ sources, part, state: list.before(part).slice(), refuted });
  }
}

type SingleVerdict = Exclude<Verdict, 'contested'>;

/** The verdict on a part that does not link under the followed list, as far as is known. */
function underEither(followed: SingleVerdict, challenger: SingleVerdict): Verdict {
  if (followed === 'unknown' || challenger === 'unknown') return 'unknown';
  return challenger === 'links' ? 'contested' : 'fails';
}

function verdictOf(list: MidstateList, part: PartIndex, steps: readonly Step[]): SingleVerdict {
  const before = list.before(part);
  const step = steps.find(({ from }) => equal(from, before));
  if (step === undefined) return 'unknown';
  return step.salted || equal(step.to, list.after(part)) ? 'links' : 'fails';
}
