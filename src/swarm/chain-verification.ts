/**
 * Verifies every part alone, the moment it lands, by lists of midstates, and finds out who lied.
 *
 * A part that does not link sets its sender aside: nothing more is asked of it, but nobody is banned on a claim. Lists
 * cost 16 bytes a part, so first other owners' lists are compared with the one followed, until more of them support it
 * than senders contradict it; only then the part is fetched once more, from others. When all parts link, the right
 * bytes and states are known, and whoever sent different ones is banned.
 *
 * Invariant: a part given to `landed` or `recheck` is being checked, or linked, or a suspect, or being fetched again.
 * A suspect's bytes are on disk and fail under the followed list; they are contested exactly when they do not fail under
 * its challenger.
 */
import type { Logger } from '../core/logger.js';
import type { PartIndex } from '../model/ids.js';
import { MidstateChain, type Step } from '../policy/midstate-chain.js';
import type { MidstateList } from '../policy/midstate-list.js';
import { PartEvidence } from '../policy/part-evidence.js';
import type { LandedPart } from './landing.js';
import { PartChecks, type PartChecksInit } from './part-checks.js';
import type { Peer } from './peer-book.js';

/** Parts fetched again at once, besides as many as that has helped so far: if a list lies, it costs no more. */
const FETCHED_AGAIN = 4;
/** Senders of a part that are tried before its list is taken for a lie that cannot be shown. */
const MAX_SENDERS = 8;

export interface ChainInit extends Omit<PartChecksInit, 'starts' | 'checked' | 'taskDone'> {
  /** Who sent each part that is on disk, a peer's id or a negative number; the verification keeps it up to date. */
  readonly senders: Int32Array;
  readonly peers: () => readonly Peer[];
  readonly logger: Logger;
  /** The list of an owner that was not asked for it before; null when there is none. */
  nextList(): Promise<MidstateList | null>;
  /** The part is on disk, whatever its bytes are. */
  stored(part: PartIndex): void;
  /** The part links: it may be served to others. */
  linked(part: PartIndex): void;
  /** The part that landed does not link. */
  unlinked(part: PartIndex): void;
  /** Parts that linked do not any more: what was cached of the file may be wrong. */
  doubted(): void;
  /** Nothing more is to be asked of the peer for now. */
  setAside(peer: Peer): void;
  /** The peer may be asked again. */
  takeBack(peer: Peer): void;
  /** The part is needed before all others. */
  hurry(part: PartIndex): void;
  /** The part is to be fetched from an owner that is none of `senders`. False when there is none. */
  fetchAgain(part: PartIndex, senders: ReadonlySet<number>): boolean;
  /** Something happened that may have settled the whole. */
  changed(): void;
}

export class ChainVerification {
  readonly #init: ChainInit;
  readonly #chain: MidstateChain;
  readonly #checks: PartChecks;
  readonly #evidence = new PartEvidence();
  readonly #suspects = new Set<PartIndex>();
  /** Those that link under the challenger: nothing is held against their senders. */
  readonly #contested = new Set<PartIndex>();
  readonly #fetchedAgain = new Set<PartIndex>();
  /** Sources of lists that were refuted. */
  readonly #refuted = new Set<number>();
  /** Parts that linked after they had been fetched again. */
  #mended = 0;
  #asking = false;
  #noMoreLists = false;
  /** A suspect cannot be fetched from anybody else. */
  #stuck = false;
  #salted = false;
  #stopped = false;

  /** @param list the one to follow first; the file has at least two parts */
  constructor(init: ChainInit, list: MidstateList) {
    this.#init = init;
    this.#chain = new MidstateChain(list);
    this.#checks = new PartChecks({
      ...init,
      verifyParts: (job) => init.verifyParts(job),
      failed: (failure) => init.failed(failure),
      starts: (part) => [...this.#chain.starts(part), ...this.#evidence.starts(part)],
      checked: (part, landedFrom, steps) => this.#checked(part, landedFrom, steps),
      taskDone: () => this.#goOn(),
    });
  }

  /** Every byte of the file is proven. */
  get proven(): boolean {
    return this.#chain.complete;
  }

  /** The id is a salted one. Only when proven. */
  get salted(): boolean {
    return this.#salted;
  }

  /** Nothing is under way and nothing can be done about the suspects: only the whole-file MD5 can tell more. */
  get gaveUp(): boolean {
    return this.#suspects.size > 0 && this.#fetchedAgain.size === 0 && !this.isBusy;
  }

  /** Something is being checked, or a list is on its way: who is right may be known in a moment. */
  get isBusy(): boolean {
    return this.#asking || !this.#checks.isIdle;
  }

  isLinked(part: PartIndex): boolean {
    return this.#chain.isLinked(part);
  }

  /** State_1 … State_{#part−1}. Only when proven. */
  get states(): Uint8Array {
    return this.#chain.list.states;
  }

  /** A part arrived; the hold on its slot passes to this verification. */
  landed(landed: LandedPart, peer: Peer): void {
    this.#fetchedAgain.delete(landed.part);
    this.#checks.landed(landed, peer.id);
  }

  /** A part is on disk that was not verified when it came. */
  recheck(part: PartIndex): void {
    this.#checks.again(part);
  }

  /** The owners may be others now. */
  ownersChanged(): void {
    this.#noMoreLists = false;
    this.#stuck = false;
    this.#goOn();
  }

  /** Bans whoever sent bytes, or a state, other than the proven ones, and clears everybody else. Only when all bytes are right. */
  convict(): void {
    const guilty = new Set([...this.#evidence.differing, ...(this.proven ? this.#chain.liars : [])]);
    for (const peer of this.#init.peers()) {
      peer.aside = false;
      if (!guilty.has(peer.id)) continue;
      peer.ban('content');
      const { v4, v6, port } = peer.address;
      this.#init.logger.warn(
        { peer: `${v4 ?? v6}:${port}` },
        'banned: it sent bytes or midstates that are proven wrong',
      );
    }
  }

  /** What is being checked is waited for; the rest is dropped and its memory given back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#checks.stop();
  }

  stats() {
    return {
      linked: this.#chain.linkedCount,
      supporters: this.#chain.supporters,
      queued: this.#checks.queued,
      suspects: this.#suspects.size,
      fetchedAgain: this.#fetchedAgain.size,
      everFailed: this.#evidence.parts,
      accused: this.#evidence.accused,
    };
  }

  #checked(part: PartIndex, landedFrom: number | null, steps: readonly Step[]): void {
    const { senders, stored } = this.#init;
    if (landedFrom !== null) {
      senders[part] = landedFrom;
      stored(part);
    }
    const { list: followed, disputed } = this.#chain;
    const verdict = this.#chain.judge(part, steps);
    if (verdict === 'unknown') {
      this.#checks.again(part);
      return;
    }
    const failedBefore = this.#evidence.sendersOf(part);
    this.#evidence.judged(part, senders[part]!, steps, verdict !== 'fails');
    if (verdict === 'links') this.#links(part, steps, landedFrom !== null && failedBefore.length > 0);
    else this.#suspects.add(part);
    if (verdict === 'contested') this.#contested.add(part);
    else this.#contested.delete(part);
    if (verdict === 'fails') {
      if (landedFrom !== null) this.#init.unlinked(part);
      this.#setAside(senders[part]!);
    }
    if (this.#chain.list !== followed) this.#followsAnother(followed);
    else if (this.#chain.disputed !== disputed) this.#followsOn();
    for (const sender of failedBefore) this.#clear(sender);
  }

  #links(part: PartIndex, steps: readonly Step[], mended: boolean): void {
    const { senders, linked, doubted } = this.#init;
    this.#suspects.delete(part);
    if (part === senders.length - 1) this.#salted = steps.some(({ salted }) => salted);
    if (mended) {
      this.#mended++;
      doubted();
    }
    linked(part);
  }

  /** What the list before explained has to be judged anew, and what it did not explain, too. */
  #followsAnother(before: MidstateList): void {
    const doubtful = this.#chain.takeDoubtful();
    if (doubtful.length > 0) this.#init.doubted();
    for (const part of doubtful) this.#checks.again(part);
    this.#recheckWhere((part) => !this.#chain.list.agreesOn(part, before));
    this.#contested.clear();
    for (const part of this.#fetchedAgain) this.#init.fetchAgain(part, this.#tried(part));
    this.#stuck = false;
    this.#setAsideRefuted();
  }

  /** The challenger is gone: what only it explained fails. */
  #followsOn(): void {
    this.#recheckWhere((part) => this.#contested.has(part));
    this.#contested.clear();
    this.#setAsideRefuted();
  }

  #recheckWhere(doubtful: (part: PartIndex) => boolean): void {
    for (const part of this.#suspects) {
      if (!doubtful(part)) continue;
      this.#suspects.delete(part);
      this.#checks.again(part);
    }
  }

  #goOn(): void {
    if (this.#stopped) return;
    if (!this.#asking) this.#decide();
    this.#init.changed();
  }

  /** What becomes of the suspects: compared with a further list, fetched again, or nothing. */
  #decide(): void {
    const { disputed } = this.#chain;
    if (disputed !== null && this.#pursue(disputed)) return;
    if (this.#suspects.size === 0) return;
    if (this.#chain.supporters > this.#evidence.accused || this.#noMoreLists) this.#fetchSuspects();
    if (this.#noMoreLists) return;
    if (this.#stuck || this.#chain.supporters <= this.#evidence.accused) void this.#askForList();
  }

  /** Gets other bytes for the part that two lists dispute. False when there are none: the challenger is dismissed. */
  #pursue(disputed: PartIndex): boolean {
    if (!this.#suspects.has(disputed)) {
      if (!this.#fetchedAgain.has(disputed)) this.#init.hurry(disputed);
      return true;
    }
    if (this.#fetchAgain(disputed)) return true;
    this.#chain.dismiss();
    this.#followsOn();
    return false;
  }

  /** The latest first: if nobody's bytes link for one part, it shows before all others were fetched in vain. */
  #fetchSuspects(): void {
    for (const part of [...this.#suspects].reverse()) {
      if (this.#stuck || this.#fetchedAgain.size >= FETCHED_AGAIN + this.#mended) return;
      this.#stuck = !this.#fetchAgain(part);
    }
  }

  #fetchAgain(part: PartIndex): boolean {
    const tried = this.#tried(part);
    if (tried.size >= MAX_SENDERS || !this.#init.fetchAgain(part, tried)) return false;
    this.#suspects.delete(part);
    this.#fetchedAgain.add(part);
    return true;
  }

  #tried(part: PartIndex): Set<number> {
    return this.#evidence.tried(part, this.#chain.lists);
  }

  async #askForList(): Promise<void> {
    this.#asking = true;
    const list = await this.#init.nextList();
    this.#asking = false;
    if (this.#stopped) return;
    if (list === null) this.#noMoreLists = true;
    else {
      this.#chain.compare(list);
      this.#stuck = false;
      // Under a challenger, whoever it explains is not accused any more.
      if (this.#chain.disputed !== null) this.#recheckWhere((part) => !list.agreesOn(part, this.#chain.list));
      this.#setAsideRefuted();
    }
    this.#goOn();
  }

  #setAsideRefuted(): void {
    for (const source of this.#chain.refuted) {
      if (this.#refuted.has(source)) continue;
      this.#refuted.add(source);
      this.#setAside(source);
    }
  }

  #setAside(sender: number): void {
    const peer = this.#init.peers()[sender];
    if (peer !== undefined && !peer.aside) this.#init.setAside(peer);
  }

  /** Whoever sent nothing that is held against it is asked again. */
  #clear(sender: number): void {
    const peer = this.#init.peers()[sender];
    if (peer === undefined || !peer.aside) return;
    if (!this.#evidence.isAccused(sender) && !this.#refuted.has(sender)) this.#init.takeBack(peer);
  }
}
