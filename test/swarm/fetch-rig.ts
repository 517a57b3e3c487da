import assert from 'node:assert/strict';
import { Slab } from '../../src/compute/slab.js';
import { hosts } from '../../src/model/address.js';
import { partGeometry, partLength, partOffset } from '../../src/model/geometry.js';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { PartPicker } from '../../src/policy/part-picker.js';
import { PartCache } from '../../src/storage/part-cache.js';
import { Fetcher, type FetchStats } from '../../src/swarm/fetcher.js';
import { type Peer, PeerBook } from '../../src/swarm/peer-book.js';
import { SwarmCounts } from '../../src/swarm/swarm-counts.js';
import { seededBytes, seededRandom } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { payloadOf } from './payload.js';
import { owner, ScriptedLink } from './scripted-link.js';

const MD5 = '0123456789abcdef0123456789abcdef' as FileMd5;
const PART = 1000;

export interface FetchRigOptions {
  readonly parts: number;
  /** What each peer owns; 'all' for every part. */
  readonly owners: readonly ('all' | readonly number[])[];
  /** Parts ahead of the prefix that may always be asked for; all of them when left out. */
  readonly windowParts?: number;
  readonly backlog?: (limit: number) => number;
  readonly throttle?: (bytes: number) => number;
  readonly eligible?: (peer: Peer) => boolean;
  readonly slabBytes?: number;
}

/** A fetcher of one file among scripted peers, under a clock that a test moves. */
export class FetchRig {
  readonly clock = new ManualClock();
  readonly slab: Slab;
  readonly picker: PartPicker;
  readonly book: PeerBook;
  readonly fetcher: Fetcher;
  readonly stats: FetchStats = {
    fetchedBytes: 0,
    wastedBytes: 0,
    requests: 0,
    failures: {},
    handedOn: 0,
    stolen: 0,
    replaced: 0,
  };
  readonly counts = new SwarmCounts();
  readonly links: ScriptedLink[] = [];
  /** Part and the id of its sender, in order of landing. */
  readonly landed: [part: number, peer: number][] = [];
  /** Address and payload of each peer credited. */
  readonly gave: [host: string, bytes: number][] = [];
  readonly content: Buffer;
  readonly #geometry;

  constructor(options: FetchRigOptions) {
    const { parts, owners, windowParts = parts } = options;
    this.content = seededBytes('fetched', parts * PART);
    this.#geometry = partGeometry(this.content.length, PART);
    this.slab = new Slab(options.slabBytes ?? 262_144);
    const random = seededRandom('fetcher');
    this.picker = new PartPicker(parts, { random, window: windowParts });
    this.book = new PeerBook(() => this.#link());
    this.book.countIn(this.picker);
    this.fetcher = new Fetcher(
      {
        md5: MD5,
        geometry: this.#geometry,
        picker: this.picker,
        windowParts,
        counts: this.counts,
        book: this.book,
        landing: {
          memory: new PartCache(this.slab),
          clock: this.clock,
          slice: () => Number.POSITIVE_INFINITY,
        },
        clock: this.clock,
        throttle: options.throttle ?? (() => 0),
        gave: (address, bytes) => this.gave.push([hosts(address)[0]!, bytes]),
        eligible: options.eligible ?? (() => true),
        sink: {
          landed: ({ part, slot, frame }, peer) => {
            assert.ok(payloadOf(this.slab, frame).equals(this.data(part)), `part ${part} is wrong`);
            slot.release();
            this.landed.push([part, peer.id]);
          },
          holdsBack: () => false,
          backlog: options.backlog ?? (() => 0),
        },
      },
      this.stats,
    );
    this.list(owners);
  }

  /** The tracker names these owners now. */
  list(owners: FetchRigOptions['owners']): void {
    const { partCount } = this.#geometry;
    const listOf = (parts: 'all' | readonly number[]) => {
      if (parts === 'all') return PartList.full(partCount);
      const list = PartList.empty(partCount);
      for (const part of parts) list.add(part);
      return list;
    };
    this.book.update(
      owners.map((parts, n) => owner(n, listOf(parts))),
      this.clock.now(),
    );
  }

  peer(n: number): Peer {
    return this.book.peers[n]!;
  }

  link(n: number): ScriptedLink {
    return this.links[n]!;
  }

  /** The parts that are asked for now, by peer. */
  get underWay(): number[][] {
    return this.links.map(({ requests }) => requests.map(({ part }) => part));
  }

  /** The bytes of a part. */
  data(part: number): Buffer {
    const from = partOffset(this.#geometry, part as PartIndex);
    return this.content.subarray(from, from + partLength(this.#geometry, part as PartIndex));
  }

  /** The n-th peer answers its oldest request. */
  answerNext(n: number): void {
    const request = this.link(n).requests[0]!;
    request.answer(this.data(request.part));
  }

  /** Every peer of `links` answers whatever it is asked, until nobody is asked any more. */
  answerAll(links = this.links): void {
    for (let asked = true; asked; ) {
      asked = false;
      for (const link of links) {
        const request = link.requests[0];
        if (request === undefined) continue;
        request.answer(this.data(request.part));
        asked = true;
      }
    }
  }

  /** Stops, and asserts that nothing is left: no request, no timer, no memory. */
  assertStops(): void {
    this.fetcher.stop();
    assert.deepEqual(this.underWay.flat(), []);
    assert.deepEqual(this.clock.pending, []);
    assert.equal(this.slab.stats().usedBytes, 0);
    assert.equal(this.fetcher.busy, false);
  }

  #link(): ScriptedLink {
    const link = new ScriptedLink();
    link.onRoom = () => this.fetcher.pump();
    this.links.push(link);
    return link;
  }
}
