import type { PartIndex } from '../model/ids.js';
import { PartList } from '../model/part-list.js';
import { Coverage } from './coverage.js';

/** What one session owns of a file. A source owns all parts. */
export interface Holding {
  readonly source: boolean;
  /** null: all parts. Complete owners, the most of all, cost no bitmap. */
  readonly parts: PartList | null;
}

const SOURCE: Holding = { source: true, parts: null };
const COMPLETE: Holding = { source: false, parts: null };

/**
 * Who owns which parts of one file.
 *
 * Invariant: every holding owns at least one part (or is a source, of an empty file too), and one that owns all of
 * them is SOURCE or COMPLETE itself. `#sources` and `#incomplete` count the holdings of those kinds. Nothing is kept
 * of a part besides the bitmaps: how many have it matters only when a source leaves.
 */
export class FileSwarm<Session> {
  readonly #partCount: number;
  readonly #holdings = new Map<Session, Holding>();
  #sources = 0;
  #incomplete = 0;

  constructor(partCount: number) {
    this.#partCount = partCount;
  }

  /** Owners, complete or not. */
  get size(): number {
    return this.#holdings.size;
  }

  get hasSource(): boolean {
    return this.#sources > 0;
  }

  /** Bytes of all bitmaps. */
  get partListBytes(): number {
    return this.#incomplete * this.bitmapBytes;
  }

  /** Bytes of one bitmap. */
  get bitmapBytes(): number {
    return Math.ceil(this.#partCount / 8);
  }

  holdings(): Iterable<[Session, Holding]> {
    return this.#holdings;
  }

  holdingOf(session: Session): Holding | undefined {
    return this.#holdings.get(session);
  }

  /** How many parts the session owns. */
  ownedBy(session: Session): number {
    const holding = this.#holdings.get(session);
    if (holding === undefined) return 0;
    return holding.parts === null ? this.#partCount : holding.parts.owned;
  }

  /** How many parts somebody besides this complete owner has. Walks over bitmaps until they have every part. */
  ownedBesides(complete: Session): number {
    const itself = this.#holdings.get(complete)?.parts === null ? 1 : 0;
    const others = this.#holdings.size - this.#incomplete - itself;
    if (others > 0) return this.#partCount;
    const coverage = new Coverage(this.#partCount);
    for (const { parts } of this.#holdings.values()) {
      if (parts !== null) coverage.add(parts.bytes);
      if (coverage.isComplete) break;
    }
    return coverage.covered;
  }

  /** Makes the session an owner of all parts and a source. */
  addSource(session: Session): void {
    const before = this.#holdings.get(session);
    if (before?.source) return;
    if (before?.parts) this.#incomplete -= 1;
    this.#holdings.set(session, SOURCE);
    this.#sources += 1;
  }

  /** Makes the session an owner of one part; returns how many it owns now. */
  addPart(session: Session, part: PartIndex): number {
    const before = this.#holdings.get(session);
    if (before?.parts === null) return this.#partCount;
    const parts = before?.parts ?? this.#join(session, PartList.empty(this.#partCount));
    parts.add(part);
    if (parts.isComplete) {
      this.#incomplete -= 1;
      this.#holdings.set(session, COMPLETE);
    }
    return parts.owned;
  }

  /** Puts back what a session owned that owns nothing yet; a part list becomes the swarm's own. */
  restore(session: Session, { source, parts }: Holding): void {
    if (source) {
      this.addSource(session);
      return;
    }
    if (parts === null || parts.isComplete) {
      this.#holdings.set(session, COMPLETE);
      return;
    }
    this.#join(session, parts);
  }

  remove(session: Session): void {
    const holding = this.#holdings.get(session);
    if (holding === undefined) return;
    if (holding.source) this.#sources -= 1;
    if (holding.parts !== null) this.#incomplete -= 1;
    this.#holdings.delete(session);
  }

  #join(session: Session, parts: PartList): PartList {
    this.#holdings.set(session, { source: false, parts });
    this.#incomplete += 1;
    return parts;
  }
}
