/**
 * What to do when every part is stored and the whole MD5 does not hold: without midstates nothing says which part is
 * wrong, only who sent what. Suspect parts are fetched from other owners and compared; where two copies differ, a third
 * owner is asked, for that part only, and the copy that more senders agree on is stored. Nobody is asked for a second
 * opinion once it is contradicted by somebody with fewer contradictions. When the MD5 holds, whoever sent other bytes
 * than the proven ones is banned; until then nobody is.
 *
 * What it costs, beyond the first copy. A few parts of each sender come first: who sends garbage shows there, then all
 * of its parts are taken from others. Otherwise each part is fetched once more (one file), and the contradicted ones a
 * third time, or until the majority is clear; they are few, because whoever loses is asked no more. When all copies
 * agree, the id fits no form: it ends there, two files in all. It cannot tell that from liars who sent, between them,
 * both copies of every part in which they lie; nothing short of a copy from everybody could. When there are contradictions, the file is then put together
 * as each owner says it is, fewest contradictions first: from its own copies, and those on which two agree who never
 * contradicted it. For owners that agree with each other that is the same file, which costs nothing again; whoever
 * contradicts them costs up to one file more. An honest owner whom most contradict is found that way; when nearly all
 * lie, and each differently, it may take two copies of the file from each of them.
 *
 * Invariant: what is on disk of a part that came more than once is the version that `copies` calls stored.
 */
import type { ComparePartsJob, ComparePartsResult, JobFailure } from '../compute/jobs.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { type PartGeometry, partIndexes, partOffset } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import type { LandedPart } from './landing.js';
import { EARLIER_RUN, PartCopies } from './part-copies.js';
import type { PartWriter } from './part-writer.js';
import type { Peer } from './peer-book.js';

/** Parts of each sender that are looked at first. */
const PROBES = 2;
/** By this many senders a version is ahead that is not asked for again. */
const CLEAR_MAJORITY = 2;

type May = (peer: Peer, part: PartIndex) => boolean;

export interface RepairInit {
  readonly geometry: PartGeometry;
  readonly dataFd: number;
  readonly peers: readonly Peer[];
  /** Who sent each stored part: a peer's id, or EARLIER_RUN. */
  readonly senders: Int32Array;
  readonly writer: PartWriter;
  readonly logger: Logger;
  compareParts(job: ComparePartsJob): Promise<ComparePartsResult | JobFailure>;
  /** Fetches what it can of `parts`, each from peers that may be asked for it; resolves when no more is to be had. */
  fetch(
    parts: readonly PartIndex[],
    may: May,
    landed: (landed: LandedPart, peer: Peer) => void,
  ): Promise<void>;
  /** Hashes the data file anew; true when its id holds. */
  verify(): Promise<boolean>;
  /** So many copies of the part that came are proven wrong. */
  wrong(part: PartIndex, copies: number): void;
}

interface Round {
  readonly what: string;
  readonly parts: readonly PartIndex[];
  readonly may: May;
  /** They are asked of those who sent them before. */
  readonly again?: true;
}

export class Repair {
  readonly #init: RepairInit;
  readonly #copies: PartCopies;
  readonly #parts: readonly PartIndex[];
  /** Parts for which nothing better comes from those who may be asked. */
  readonly #barren = new Set<PartIndex>();
  /** The owner whose word decides; null while the majority's does. */
  #candidate: Peer | null = null;
  #changed = false;
  #failure: JobFailure | null = null;

  constructor(init: RepairInit) {
    this.#init = init;
    this.#copies = new PartCopies(init.senders);
    this.#parts = [...partIndexes(init.geometry)];
  }

  /** True when the file is right in the end; false when every owner was tried. Throws OperationalError 'disk'. */
  async run(): Promise<boolean> {
    const isRight = (await this.#byMajority()) || (this.#copies.anyConflict && (await this.#byOwner()));
    if (isRight) this.#convict();
    return isRight;
  }

  async #byMajority(): Promise<boolean> {
    await this.#refetch(this.#probes());
    for (;;) {
      const urgent = this.#contradicted() ?? this.#displaced() ?? this.#doubted();
      if (urgent !== null) {
        await this.#refetch(urgent);
        continue;
      }
      if (await this.#isRight()) return true;
      const isTied = this.#parts.some((part) => this.#isUndecided(part));
      const next = (isTied ? null : this.#nextSender()) ?? this.#narrow();
      if (next === null) return false;
      await this.#refetch(next);
    }
  }

  async #byOwner(): Promise<boolean> {
    this.#barren.clear();
    const { peers } = this.#init;
    const order = peers
      .map((owner) => ({
        owner,
        conflicts: this.#copies.conflictsOf(owner.id),
        stored: this.#believed(owner),
      }))
      .sort((a, b) => a.conflicts - b.conflicts || a.stored - b.stored);
    for (const { owner } of order) {
      this.#candidate = owner;
      const asked = new Set<PartIndex>();
      const ask = async (wanted: (part: PartIndex) => boolean): Promise<boolean> => {
        const parts = this.#parts.filter((part) => !asked.has(part) && owner.named.has(part) && wanted(part));
        for (const part of parts) asked.add(part);
        const what = `what ${this.#name(owner.id)} has`;
        if (parts.length > 0) await this.#fetch({ what, parts, may: (peer) => peer === owner });
        // Who sends something else each time is not worth a whole file.
        return parts.length > 0 && !this.#copies.inConflict(owner.id, owner.id);
      };
      await ask((part) => this.#copies.hasSent(owner.id, part) && this.#isDisplaced(part));
      if (this.#copies.inConflict(owner.id, owner.id)) continue;
      // Each answer may show that somebody who seemed to agree does not.
      while (await ask((part) => !this.#agreesWith(owner, part) || this.#isDisplaced(part)));
      const displaced = this.#displaced();
      if (displaced !== null) await this.#fetch(displaced);
      if (await this.#isRight()) return true;
    }
    return false;
  }

  /** Contradicted parts that are stored as the owner sent them: what is stored has failed. */
  #believed({ id }: Peer): number {
    const { length } = this.#parts.filter(
      (part) => this.#copies.versions(part).length > 1 && this.#copies.storedFrom(part).includes(id),
    );
    return length;
  }

  /** The owner sent the part itself, or two did who never contradicted it. */
  #agreesWith(owner: Peer, part: PartIndex): boolean {
    if (this.#copies.hasSent(owner.id, part)) return true;
    return this.#copies.versions(part).some((version) => this.#supporters(version.senders, owner) >= 2);
  }

  #supporters(senders: ReadonlySet<number>, owner: Peer): number {
    let count = 0;
    for (const id of senders) if (id !== EARLIER_RUN && !this.#copies.inConflict(id, owner.id)) count++;
    return count;
  }

  #probes(): Round {
    const probes = [...this.#bySender().values()].flatMap((parts) =>
      Array.from(
        { length: Math.min(PROBES, parts.length) },
        (_, n) => parts[Math.floor(((n + 1) * parts.length) / (PROBES + 1))]!,
      ),
    );
    return { what: 'some parts of each sender', parts: [...new Set(probes)], may: this.#others };
  }

  #contradicted(): Round | null {
    const parts = this.#parts.filter((part) => !this.#barren.has(part) && this.#isUndecided(part));
    return parts.length === 0 ? null : { what: 'contradicted parts', parts, may: this.#others };
  }

  /** Contradicted parts that were decided by one sender: two who agree on a lie can do that. */
  #narrow(): Round | null {
    const parts = this.#parts.filter((part) => {
      if (this.#barren.has(part)) return false;
      const counts = this.#copies.versions(part).map(({ senders }) => senders.size);
      const [first = 0, second = 0] = counts.sort((a, b) => b - a);
      return second > 0 && first - second < CLEAR_MAJORITY;
    });
    if (parts.length === 0) return null;
    const may: May = (peer, part) => !this.#copies.hasSent(peer.id, part);
    return { what: 'parts with a narrow majority', parts, may };
  }

  /** Parts of which another version is stored than is believed. */
  #displaced(): Round | null {
    const parts = this.#parts.filter((part) => !this.#barren.has(part) && this.#isDisplaced(part));
    if (parts.length === 0) return null;
    const may: May = (peer, part) => this.#best(part)!.senders.has(peer.id);
    return { what: 'copies that were outvoted', parts, may, again: true };
  }

  #doubted(): Round | null {
    const parts = this.#parts.filter(
      (part) =>
        !this.#barren.has(part) && this.#copies.storedFrom(part).every((id) => this.#copies.isDoubted(id)),
    );
    return parts.length === 0 ? null : { what: 'the parts of doubtful senders', parts, may: this.#others };
  }

  /** What the most suspicious sender sent and nobody else did: most contradictions first, then least to fetch. */
  #nextSender(): Round | null {
    const [next] = [...this.#bySender()].sort(
      ([a, ofA], [b, ofB]) =>
        this.#copies.conflictsOf(b) - this.#copies.conflictsOf(a) || ofA.length - ofB.length,
    );
    if (next === undefined) return null;
    return { what: `the parts of ${this.#name(next[0])}`, parts: next[1], may: this.#others };
  }

  /** The parts that came only once, by their sender. */
  #bySender(): Map<number, PartIndex[]> {
    const bySender = new Map<number, PartIndex[]>();
    for (const part of this.#parts) {
      if (this.#barren.has(part) || this.#copies.versions(part).length > 0) continue;
      const sender = this.#copies.firstSender(part);
      const parts = bySender.get(sender);
      if (parts === undefined) bySender.set(sender, [part]);
      else parts.push(part);
    }
    return bySender;
  }

  readonly #others: May = (peer, part) =>
    !this.#copies.hasSent(peer.id, part) && !this.#copies.isDoubted(peer.id);

  /** The version that is believed: the candidate's, else that of most senders; of equals the stored one. */
  #best(part: PartIndex) {
    return this.#ranked(part)[0]?.version;
  }

  #isUndecided(part: PartIndex): boolean {
    const [first, second] = this.#ranked(part);
    return second !== undefined && first!.weight === second.weight;
  }

  #isDisplaced(part: PartIndex): boolean {
    const best = this.#best(part);
    return best !== undefined && !this.#copies.isStored(part, best);
  }

  #ranked(part: PartIndex) {
    const versions = this.#copies.versions(part);
    const ranked = versions.map((version) => ({ version, weight: this.#weight(version.senders) }));
    const stored = (version: (typeof versions)[number]) => Number(this.#copies.isStored(part, version));
    return ranked.sort((a, b) => b.weight - a.weight || stored(b.version) - stored(a.version));
  }

  #weight(senders: ReadonlySet<number>): number {
    const { peers } = this.#init;
    const candidate = this.#candidate;
    if (candidate !== null) {
      return senders.has(candidate.id) ? peers.length + 1 : this.#supporters(senders, candidate);
    }
    let weight = 0;
    // One who is not in doubt outweighs all who are.
    for (const id of senders) {
      if (id !== EARLIER_RUN) weight += this.#copies.isDoubted(id) ? 1 : peers.length + 1;
    }
    return weight;
  }

  /** Fetches a round; of what does not come, or comes differently from the same sender, no more is asked by majority. */
  async #refetch(round: Round): Promise<void> {
    const came = await this.#fetch(round);
    for (const part of round.parts) {
      if (!came.has(part) || (round.again && this.#isDisplaced(part))) this.#barren.add(part);
    }
  }

  async #fetch({ what, parts, may }: Round): Promise<Set<PartIndex>> {
    this.#init.logger.warn(
      { parts: parts.length },
      `the file does not match its MD5; fetching ${what} again`,
    );
    const came = new Set<PartIndex>();
    const compared: Promise<void>[] = [];
    try {
      await this.#init.fetch(parts, may, (landed, peer) => {
        came.add(landed.part);
        compared.push(this.#landed(landed, peer));
      });
    } finally {
      // Also when it was interrupted: nothing may be written once the caller has closed the file.
      await Promise.all(compared);
    }
    if (this.#failure === null) return came;
    const { code, detail } = this.#failure;
    throw new OperationalError('disk', code, `cannot repair the file on disk: ${detail}`);
  }

  async #isRight(): Promise<boolean> {
    if (!this.#changed) return false;
    this.#changed = false;
    return this.#init.verify();
  }

  /** Compares a copy with the stored one and stores the one that is believed; never rejects. */
  async #landed(landed: LandedPart, peer: Peer): Promise<void> {
    const failure = await this.#compareAndWrite(landed, peer).catch(
      (error: unknown): JobFailure => ({ ok: false, code: 'POOL', detail: String(error) }),
    );
    this.#failure ??= failure;
    landed.slot.release();
  }

  async #compareAndWrite(landed: LandedPart, peer: Peer): Promise<JobFailure | null> {
    const { geometry, dataFd, compareParts, writer, senders } = this.#init;
    const { part, frame } = landed;
    const position = partOffset(geometry, part);
    const result = await compareParts({ fd: dataFd, parts: [{ position, frame }] });
    if (!result.ok) return result;
    const digests = result.digests[0]!;
    this.#copies.compared(part, digests.stored, digests.landed, peer.id);
    if (digests.landed === digests.stored || this.#best(part)!.digest !== digests.landed) return null;
    const failure = await new Promise<JobFailure | null>((resolve) => writer.write(landed, resolve));
    if (failure !== null) return failure;
    this.#changed = true;
    senders[part] = peer.id;
    this.#copies.replaced(part, digests.landed);
    return null;
  }

  /** The stored bytes are proven: who sent others for the same part is not asked again. */
  #convict(): void {
    for (const part of this.#parts) {
      for (const version of this.#copies.versions(part)) {
        if (!this.#copies.isStored(part, version)) this.#init.wrong(part, version.senders.size);
      }
    }
    for (const id of this.#copies.differing()) {
      this.#init.peers[id]!.ban('content');
      this.#init.logger.warn({ peer: this.#name(id) }, 'banned: it sent bytes that are proven wrong');
    }
  }

  #name(id: number): string {
    const address = this.#init.peers[id]?.address;
    return address === undefined ? 'an earlier run' : `${address.v4 ?? address.v6}:${address.port}`;
  }
}
