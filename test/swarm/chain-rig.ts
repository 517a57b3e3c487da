import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { Slab } from '../../src/compute/slab.js';
import { silentLogger } from '../../src/core/logger.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { MidstateList } from '../../src/policy/midstate-list.js';
import { PartCache } from '../../src/storage/part-cache.js';
import { ChainVerification } from '../../src/swarm/chain-verification.js';
import { PeerBook } from '../../src/swarm/peer-book.js';
import { md5 } from '../support/files.js';
import { MemoryDisk } from './memory-disk.js';
import { landedPart } from './payload.js';
import { owner, ScriptedLink } from './scripted-link.js';

export const PART = 128;
const EARLIER = -1;

export interface ChainRigOptions {
  readonly content: Buffer;
  readonly peers: number;
  /** The lists of the peers 0, 1, …, in the order they are given out. */
  readonly lists: readonly Buffer[];
  readonly slabBytes?: number;
}

/** The verification of one download by lists, without a network: a test lands the parts. */
export class ChainRig {
  readonly slab: Slab;
  readonly disk: MemoryDisk;
  readonly book = new PeerBook(() => new ScriptedLink());
  readonly verification: ChainVerification;
  /** Parts that are to be fetched again, and from whom not. */
  readonly wanted = new Map<number, ReadonlySet<number>>();
  readonly linked: number[] = [];
  readonly hurried: number[] = [];
  /** How many lists were given out after the first. */
  listsTaken = 0;
  doubts = 0;
  failures = 0;
  readonly #partCount: number;
  readonly #cache: PartCache;

  constructor({ content, peers, lists, slabBytes = 65_536 }: ChainRigOptions) {
    const id = md5(content) as FileMd5;
    const geometry = partGeometry(content.length, PART);
    this.#partCount = geometry.partCount;
    this.slab = new Slab(slabBytes);
    this.#cache = new PartCache(this.slab);
    this.disk = new MemoryDisk(this.slab, content.length);
    this.book.update(
      Array.from({ length: peers }, (_, n) => owner(n, PartList.full(geometry.partCount))),
      0,
    );
    const all = lists.map((states, n) => new MidstateList(n, states, Buffer.from(id, 'hex')));
    this.verification = new ChainVerification(
      {
        md5: id,
        geometry,
        store: this.disk,
        memory: this.#cache,
        concurrency: 2,
        senders: new Int32Array(geometry.partCount).fill(EARLIER),
        peers: () => this.book.peers,
        saltSuffixes: () => this.book.saltSuffixes(),
        logger: silentLogger,
        nextList: async () => {
          await setImmediate();
          return all[++this.listsTaken] ?? null;
        },
        verifyParts: (job) => this.disk.verifyParts(job),
        stored: () => {},
        linked: (part) => this.linked.push(part),
        unlinked: () => {},
        doubted: () => this.doubts++,
        setAside: (peer) => {
          peer.aside = true;
        },
        takeBack: (peer) => {
          peer.aside = false;
        },
        hurry: (part) => this.hurried.push(part),
        fetchAgain: (part, senders) => this.#fetchAgain(part, senders),
        failed: () => this.failures++,
        changed: () => {},
      },
      all[0]!,
    );
  }

  /** A part comes from a peer, in chunks of these lengths. */
  async land(part: number, bytes: Uint8Array, from: number): Promise<void> {
    this.wanted.delete(part);
    const lengths = bytes.length > 70 ? [bytes.length - 70, 1, 69] : [bytes.length];
    this.verification.landed(landedPart(this.slab, part, bytes, lengths), this.book.peers[from]!);
  }

  /** Until nothing is being checked any more. */
  async settle(): Promise<void> {
    while (this.verification.isBusy) await setImmediate();
  }

  get aside(): boolean[] {
    return this.book.peers.map(({ aside }) => aside);
  }

  get banned(): number[] {
    return this.book.peers.filter(({ banned }) => banned).map(({ id }) => id);
  }

  isLinked(part: number): boolean {
    return this.verification.isLinked(part as PartIndex);
  }

  /** All memory is given back but what the kernel keeps. */
  async end(): Promise<void> {
    await this.verification.stop();
    assert.equal(this.slab.stats().usedBytes, this.disk.scratchBytes);
    assert.equal(this.#cache.stats().waiting, 0);
    assert.equal(this.failures, 0);
    assert.ok(this.linked.length >= (this.verification.proven ? this.#partCount : 0));
  }

  #fetchAgain(part: PartIndex, senders: ReadonlySet<number>): boolean {
    const others = this.book.peers.some(({ id }) => !senders.has(id));
    if (others) this.wanted.set(part, senders);
    return others;
  }
}
