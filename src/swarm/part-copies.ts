/**
 * Who sent which bytes for a part, and so who contradicted whom. Nobody is called a liar here: only an id that holds can
 * say who was right.
 *
 * Invariant: a part that came more than once has one version for each digest, with everybody who sent it; two senders in
 * different versions of a part are in each other's conflicts, a sender of two versions of one part in its own.
 */
import type { PartIndex } from '../model/ids.js';

/** The sender of a part that an earlier run stored: nobody who could be asked, believed or banned. */
export const EARLIER_RUN = -1;

interface Version {
  readonly digest: string;
  readonly senders: Set<number>;
}

export class PartCopies {
  readonly #firstSenders: Int32Array;
  readonly #versions = new Map<PartIndex, Version[]>();
  readonly #stored = new Map<PartIndex, string>();
  readonly #conflicts = new Map<number, Set<number>>();

  /** @param firstSenders who sent what is stored of each part: a peer's id, or EARLIER_RUN */
  constructor(firstSenders: Int32Array) {
    this.#firstSenders = firstSenders.slice();
  }

  /** Who sent what was stored first. */
  firstSender(part: PartIndex): number {
    return this.#firstSenders[part]!;
  }

  /** Versions of a part that came more than once. */
  versions(part: PartIndex): readonly Version[] {
    return this.#versions.get(part) ?? [];
  }

  hasSent(sender: number, part: PartIndex): boolean {
    return this.senders(part).includes(sender);
  }

  senders(part: PartIndex): readonly number[] {
    const versions = this.#versions.get(part);
    return versions?.flatMap(({ senders }) => [...senders]) ?? [this.firstSender(part)];
  }

  /** Senders of what is stored. */
  storedFrom(part: PartIndex): readonly number[] {
    const stored = this.versions(part).find((version) => this.isStored(part, version));
    return stored === undefined ? [this.firstSender(part)] : [...stored.senders];
  }

  isStored(part: PartIndex, { digest }: Version): boolean {
    return this.#stored.get(part) === digest;
  }

  /** A copy of the part came from `sender` while there was one with the digest `stored`. */
  compared(part: PartIndex, stored: string, landed: string, sender: number): void {
    if (!this.#versions.has(part)) {
      this.#versions.set(part, []);
      this.#stored.set(part, stored);
      this.#sent(part, stored, this.firstSender(part));
    }
    this.#sent(part, landed, sender);
  }

  /** The copy with this digest is on disk now. */
  replaced(part: PartIndex, digest: string): void {
    this.#stored.set(part, digest);
  }

  get anyConflict(): boolean {
    return this.#conflicts.size > 0;
  }

  /** How many others a sender contradicted. */
  conflictsOf(sender: number): number {
    return this.#conflicts.get(sender)?.size ?? 0;
  }

  inConflict(sender: number, other: number): boolean {
    return this.#conflicts.get(sender)?.has(other) === true;
  }

  /** Contradicted by somebody who has fewer against itself; in a fair majority that is a liar, but no proof. */
  isDoubted(sender: number): boolean {
    for (const other of this.#conflicts.get(sender) ?? []) {
      if (other === sender || this.conflictsOf(other) < this.conflictsOf(sender)) return true;
    }
    return false;
  }

  /** Whoever sent anything but what is stored. */
  differing(): Set<number> {
    const senders = new Set<number>();
    for (const [part, versions] of this.#versions) {
      for (const version of versions) {
        if (this.isStored(part, version)) continue;
        for (const sender of version.senders) if (sender !== EARLIER_RUN) senders.add(sender);
      }
    }
    return senders;
  }

  #sent(part: PartIndex, digest: string, sender: number): void {
    const versions = this.#versions.get(part)!;
    let version = versions.find((other) => other.digest === digest);
    if (version === undefined) {
      version = { digest, senders: new Set() };
      versions.push(version);
    }
    version.senders.add(sender);
    for (const { digest: another, senders } of versions) {
      if (another !== digest) for (const other of senders) this.#contradict(sender, other);
    }
  }

  #contradict(one: number, other: number): void {
    if (one === EARLIER_RUN || other === EARLIER_RUN) return;
    for (const [sender, against] of [
      [one, other],
      [other, one],
    ] as const) {
      const conflicts = this.#conflicts.get(sender);
      if (conflicts === undefined) this.#conflicts.set(sender, new Set([against]));
      else conflicts.add(against);
    }
  }
}
