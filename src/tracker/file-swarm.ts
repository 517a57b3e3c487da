import type { PartIndex } from '../model/ids.js';
import { PartList } from '../model/part-list.js';

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
 * Invariant: every holding owns at least one part (or is a source, of an empty file too), and one that owns
 * all of them is SOURCE or COMPLETE itself. `#holders[p]` is the number of incomplete holdings with part p,
 * `#held` the number of parts where it is not 0; both exist only while there are incomplete holdings. So
 * nothing that a request needs, except the list of owners, is found by walking over owners or parts.
 */
export class FileSwarm<Session> {
  readonly #partCount: number;
  readonly #holdings = new Map<Session, Holding>();
  #holders: Uint32Array | null = null;
  #held = 0;
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

  /** Bytes of all bitmaps and of the counts beside them. */
  get partListBytes(): number {
    return this.#incomplete * this.#bitmapBytes + (this.#holders?.byteLength ?? 0);
  }

  /** Bytes that one more incomplete owner would add to `partListBytes`. */
  get nextPartListBytes(): number {
    return this.#bitmapBytes + (this.#holders === null ? this.#partCount * Uint32Array.BYTES_PER_ELEMENT : 0);
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

  /** How many parts somebody besides this complete owner has. */
  ownedBesides(complete: Session): number {
    const itself = this.#holdings.get(complete)?.parts === null ? 1 : 0;
    const others = this.#holdings.size - this.#incomplete - itself;
    return others > 0 ? this.#partCount : this.#held;
  }

  /** Makes the session an owner of all parts and a source. */
  addSource(session: Session): void {
    const before = this.#holdings.get(session);
    if (before?.source) return;
    if (before?.parts) this.#forget(before.parts);
    this.#holdings.set(session, SOURCE);
    this.#sources += 1;
  }

  /** Makes the session an owner of one part; returns how many it owns now. */
  addPart(session: Session, part: PartIndex): number {
    const before = this.#holdings.get(session);
    if (before?.parts === null) return this.#partCount;
    const parts = before?.parts ?? this.#join(session, PartList.empty(this.#partCount));
    if (parts.add(part)) this.#count(part);
    if (parts.isComplete) {
      this.#forget(parts);
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
    for (const part of parts) this.#count(part);
  }

  remove(session: Session): void {
    const holding = this.#holdings.get(session);
    if (holding === undefined) return;
    if (holding.source) this.#sources -= 1;
    if (holding.parts !== null) this.#forget(holding.parts);
    this.#holdings.delete(session);
  }

  get #bitmapBytes(): number {
    return Math.ceil(this.#partCount / 8);
  }

  #join(session: Session, parts: PartList): PartList {
    this.#holdings.set(session, { source: false, parts });
    this.#incomplete += 1;
    this.#holders ??= new Uint32Array(this.#partCount);
    return parts;
  }

  #count(part: PartIndex): void {
    const holders = this.#holders!;
    if (holders[part] === 0) this.#held += 1;
    holders[part]! += 1;
  }

  /** These parts are no longer an incomplete holding. */
  #forget(parts: PartList): void {
    this.#incomplete -= 1;
    if (this.#incomplete === 0) {
      this.#holders = null;
      this.#held = 0;
      return;
    }
    const holders = this.#holders!;
    for (const part of parts) {
      holders[part]! -= 1;
      if (holders[part] === 0) this.#held -= 1;
    }
  }
}
