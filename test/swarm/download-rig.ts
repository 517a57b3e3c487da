import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers';
import { setImmediate as turn } from 'node:timers/promises';
import { Slab } from '../../src/compute/slab.js';
import type { OperationalError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { type PartGeometry, partGeometry } from '../../src/model/geometry.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import type { Owner } from '../../src/protocol/messages.js';
import { journalOffset } from '../../src/storage/journal-layout.js';
import { PartCache } from '../../src/storage/part-cache.js';
import { Download, type DownloadInit, type Proof } from '../../src/swarm/download.js';
import { SwarmCounts } from '../../src/swarm/swarm-counts.js';
import { md5, seededRandom } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryDisk } from './memory-disk.js';
import { owner, ScriptedLink, type ScriptedRequest } from './scripted-link.js';

/** What a peer does with a request, a turn after it came. */
export type Behaviour = (request: ScriptedRequest) => void;

export interface DownloadRigOptions extends Partial<Pick<DownloadInit, 'verify' | 'limit' | 'findOwners'>> {
  readonly content: Buffer;
  /** 1,000 when left out. */
  readonly partSize?: number;
  /** The MD5 of the content when left out. */
  readonly id?: string;
  readonly peers: readonly Behaviour[];
  /** What each peer does when it is asked for midstates; those left out refuse. */
  readonly lists?: readonly (Behaviour | undefined)[];
  /** Parts on disk from an earlier run. */
  readonly earlier?: readonly number[];
  readonly sequential?: boolean;
  readonly slabBytes?: number;
  /** Connections to each peer at the beginning; 4 when left out. */
  readonly connections?: number;
}

/** How often events may follow from each other before time has to pass. */
const TURNS = 25;
const STEP_MS = 500;

/** A download among scripted peers, on a disk in memory, under a clock that a test moves. */
export class DownloadRig {
  readonly clock = new ManualClock();
  readonly slab: Slab;
  readonly cache: PartCache;
  readonly disk: MemoryDisk;
  readonly stored: PartList;
  readonly download: Download;
  readonly links: ScriptedLink[] = [];
  /** Parts that the trackers were told of. */
  readonly owned: number[] = [];
  /** The peers that were banned for what they sent. */
  readonly banned: number[] = [];
  readonly owners: Owner[];
  readonly md5: string;
  readonly #abort = new AbortController();
  readonly #peers: readonly Behaviour[];
  readonly counts = new SwarmCounts();
  readonly #lists: readonly (Behaviour | undefined)[];
  readonly #connections: number;
  readonly #geometry: PartGeometry;
  #outcome: { proof: Proof } | { error: unknown } | null = null;

  constructor(options: DownloadRigOptions) {
    const { content, partSize = 1000, id = md5(content), peers, earlier = [] } = options;
    this.#peers = peers;
    this.#lists = options.lists ?? [];
    this.#connections = options.connections ?? 4;
    this.md5 = id;
    this.#geometry = partGeometry(content.length, partSize);
    const { partCount } = this.#geometry;
    this.slab = new Slab(options.slabBytes ?? 1_048_576);
    this.cache = new PartCache(this.slab);
    this.disk = new MemoryDisk(this.slab, content.length);
    this.stored = PartList.empty(partCount);
    for (const part of earlier) {
      this.disk.data.set(content.subarray(part * partSize, (part + 1) * partSize), part * partSize);
      this.stored.add(part);
    }
    this.owners = peers.map((_, n) => owner(n, PartList.full(partCount)));
    this.download = new Download({
      manifest: { md5: id as FileMd5, name: 'a file', geometry: this.#geometry },
      store: this.disk,
      stored: this.stored,
      memory: this.cache,
      tasks: this.disk,
      writers: 2,
      verifiers: 2,
      connect: (_, onRoom) => this.#connect(onRoom),
      counts: this.counts,
      gave: () => {},
      findOwners: options.findOwners ?? (async () => this.owners),
      own: (part) => this.owned.push(part),
      limit: options.limit ?? { slice: Number.POSITIVE_INFINITY, delay: () => 0 },
      verify: options.verify ?? true,
      sequential: options.sequential ?? false,
      clock: this.clock,
      random: seededRandom('download'),
      logger: { ...silentLogger, warn: (fields) => this.#noteBan(fields) },
    });
  }

  start(): this {
    this.download.run(this.#abort.signal).then(
      (proof) => {
        this.#outcome = { proof };
      },
      (error: unknown) => {
        this.#outcome = { error };
      },
    );
    return this;
  }

  get isOver(): boolean {
    return this.#outcome !== null;
  }

  interrupt(): void {
    this.#abort.abort();
  }

  /** Lets happen what needs no time. */
  async settle(): Promise<void> {
    for (let left = TURNS; left > 0 && !this.isOver; left--) await turn();
  }

  /** Lets time pass until `reached`, the download is over, or `ms` have passed. */
  async pass(ms: number, reached: () => boolean = () => false): Promise<void> {
    const end = this.clock.now() + ms;
    await this.settle();
    while (!this.isOver && !reached() && this.clock.now() < end) {
      this.clock.advance(Math.min(STEP_MS, end - this.clock.now()));
      await this.settle();
    }
  }

  /** What the file was proven by, at the end. */
  async proof(): Promise<Proof> {
    await this.pass(600_000);
    if (this.#outcome !== null && 'error' in this.#outcome) throw this.#outcome.error;
    assert.ok(this.#outcome !== null, 'the download hangs');
    this.#assertNothingLeft();
    return this.#outcome.proof;
  }

  /** What the download failed with, at the end. */
  async error(): Promise<OperationalError> {
    await this.pass(600_000);
    assert.ok(this.#outcome !== null, 'the download hangs');
    assert.ok('error' in this.#outcome, 'the download ended well');
    this.#assertNothingLeft();
    return this.#outcome.error as OperationalError;
  }

  /** Asserts that the parts called stored, and no others, are marked. */
  assertMarked(earlier: readonly number[] = []): void {
    const marked = [...this.stored].filter((part) => !earlier.includes(part)).map(journalOffset);
    assert.deepEqual(
      [...this.disk.marks].sort((a, b) => a - b),
      marked,
    );
  }

  #noteBan(fields: { peer?: string }): void {
    const n = this.owners.findIndex(({ address: { v4, port } }) => fields.peer === `${v4}:${port}`);
    if (n >= 0) this.banned.push(n);
  }

  #assertNothingLeft(): void {
    assert.deepEqual(this.clock.pending, []);
    assert.equal(this.slab.stats().usedBytes, this.cache.stats().bytes + this.disk.scratchBytes);
    assert.equal(this.cache.stats().waiting, 0);
    for (const { closed, requests } of this.links) assert.deepEqual([closed, requests.length], [true, 0]);
  }

  #connect(onRoom: () => void): ScriptedLink {
    const sendsPart = this.#peers[this.links.length]!;
    const sendsList = this.#lists[this.links.length] ?? refuses;
    const link = new ScriptedLink();
    link.maxConnections = this.#connections;
    link.onRoom = onRoom;
    link.onRequest = (request) => {
      setImmediate(() => {
        if (request.wire.outcome !== 'open') return;
        if (request.command === 'MIDS') sendsList(request);
        else sendsPart(request);
      });
    };
    this.links.push(link);
    return link;
  }
}

/** Sends each part as `content` has it. */
export function sends(content: Buffer, partSize = 1000): Behaviour {
  return (request) =>
    request.answer(content.subarray(request.part * partSize, (request.part + 1) * partSize));
}

export const refuses: Behaviour = (request) => request.fail('refused');
export const isAway: Behaviour = (request) => request.fail('connect');
export const isSilent: Behaviour = () => {};
