/**
 * What to do when every part is stored and the whole MD5 does not hold: without midstates nothing says which part is
 * wrong, only who sent what. The parts of one sender at a time are fetched from others until the MD5 holds; if that does
 * not help, the whole file is taken from one owner at a time.
 *
 * Invariant: `agreed` has a bit for each owner and part when the stored bytes of that part are the bytes that owner sent.
 */
import type { ComparePartsJob, ComparePartsResult, JobFailure } from '../compute/jobs.js';
import { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { type PartGeometry, partIndexes, partOffset } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import { PartList } from '../model/part-list.js';
import type { LandedPart } from './landing.js';
import type { PartWriter } from './part-writer.js';
import type { Peer } from './peer-book.js';

export interface RepairInit {
  readonly geometry: PartGeometry;
  readonly dataFd: number;
  readonly peers: readonly Peer[];
  /** Who sent each stored part: a peer's id, or -1 for a part of an earlier run. */
  readonly senders: Int32Array;
  readonly writer: PartWriter;
  readonly logger: Logger;
  compareParts(job: ComparePartsJob): Promise<ComparePartsResult | JobFailure>;
  /** Fetches what it can of `parts` from eligible peers; resolves when no more is to be had. */
  fetch(
    parts: readonly PartIndex[],
    eligible: (peer: Peer) => boolean,
    landed: (landed: LandedPart, peer: Peer) => void,
  ): Promise<void>;
  /** Hashes the data file anew; true when its id holds. */
  verify(): Promise<boolean>;
}

export class Repair {
  readonly #init: RepairInit;
  readonly #agreed = new Map<number, PartList>();
  #changed = 0;
  #failure: JobFailure | null = null;

  constructor(init: RepairInit) {
    this.#init = init;
    init.senders.forEach((sender, part) => {
      if (sender >= 0) this.#agreedWith(sender).add(part);
    });
  }

  /** True when the file is right in the end; false when every owner was tried. Throws OperationalError 'disk'. */
  async run(): Promise<boolean> {
    const { peers, senders, geometry } = this.#init;
    const sent = (sender: number) => [...partIndexes(geometry)].filter((part) => senders[part] === sender);
    const suspects = [...new Set(senders)]
      .map((id) => ({ id, parts: sent(id).length }))
      .sort((a, b) => a.parts - b.parts);
    for (const { id } of suspects) {
      if (await this.#retake(sent(id), (peer) => peer.id !== id, `the parts of ${this.#name(id)}`))
        return true;
    }
    for (const owner of peers) {
      const agreed = this.#agreedWith(owner.id);
      const differing = [...partIndexes(geometry)].filter((part) => !agreed.has(part));
      if (await this.#retake(differing, (peer) => peer === owner, `everything from ${this.#name(owner.id)}`))
        return true;
    }
    return false;
  }

  async #retake(
    parts: readonly PartIndex[],
    eligible: (peer: Peer) => boolean,
    what: string,
  ): Promise<boolean> {
    if (parts.length === 0) return false;
    this.#init.logger.warn(
      { parts: parts.length },
      `the file does not match its MD5; fetching ${what} again`,
    );
    this.#changed = 0;
    const compared: Promise<void>[] = [];
    try {
      await this.#init.fetch(parts, eligible, (landed, peer) => compared.push(this.#replace(landed, peer)));
    } finally {
      // Also when it was interrupted: nothing may be written once the caller has closed the file.
      await Promise.all(compared);
    }
    if (this.#failure !== null) {
      throw new OperationalError(
        'disk',
        this.#failure.code,
        `cannot repair the file on disk: ${this.#failure.detail}`,
      );
    }
    return this.#changed > 0 && (await this.#init.verify());
  }

  /** Puts a second copy in the place of the first where they differ; never rejects. */
  async #replace(landed: LandedPart, peer: Peer): Promise<void> {
    const failure = await this.#compareAndWrite(landed, peer).catch(
      (error: unknown): JobFailure => ({ ok: false, code: 'POOL', detail: String(error) }),
    );
    this.#failure ??= failure;
    landed.slot.release();
  }

  async #compareAndWrite(landed: LandedPart, peer: Peer): Promise<JobFailure | null> {
    const { geometry, dataFd, compareParts, writer, senders } = this.#init;
    const { part, frame } = landed;
    const result = await compareParts({
      fd: dataFd,
      parts: [{ position: partOffset(geometry, part), frame }],
    });
    if (!result.ok) return result;
    if (!result.same[0]) {
      const failure = await new Promise<JobFailure | null>((resolve) => writer.write(landed, resolve));
      if (failure !== null) return failure;
      this.#changed++;
      senders[part] = peer.id;
      for (const agreed of this.#agreed.values()) agreed.remove(part);
    }
    this.#agreedWith(peer.id).add(part);
    return null;
  }

  #agreedWith(owner: number): PartList {
    let agreed = this.#agreed.get(owner);
    if (agreed === undefined) {
      agreed = PartList.empty(this.#init.geometry.partCount);
      this.#agreed.set(owner, agreed);
    }
    return agreed;
  }

  #name(id: number): string {
    const address = this.#init.peers[id]?.address;
    return address === undefined ? 'an earlier run' : `${address.v4 ?? address.v6}:${address.port}`;
  }
}
