import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { JobFailure, ReadFrameJob } from '../../src/compute/jobs.js';
import { Slab } from '../../src/compute/slab.js';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5 } from '../../src/model/ids.js';
import type { Gone, LeasedFrame, Requester } from '../../src/net/handler.js';
import type { SeedChoking } from '../../src/policy/choker.js';
import { DEFAULT_QUEUE_LIMITS, type QueueLimits } from '../../src/policy/upload-queue.js';
import { PartCache } from '../../src/storage/part-cache.js';
import { FrameLoads } from '../../src/swarm/frame-loads.js';
import { type ServedFile, Upload } from '../../src/swarm/upload.js';
import { arep, chunksOf } from '../support/base-frame.js';
import { md5, seededBytes } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';

const PART = 4000;
const CHUNK = 999;

let connections = 0;

/** A connection that a test can end. */
export class FakeRequester implements Requester, Gone {
  readonly port = 40_000;
  readonly localIp = '10.9.9.9';
  readonly localPort = 5000;
  readonly connectionId = ++connections;
  aborted = false;
  readonly ip: string;
  readonly #callbacks: (() => void)[] = [];

  constructor(ip: string) {
    this.ip = ip;
  }

  get gone(): Gone {
    return this;
  }

  onAbort(callback: () => void): void {
    if (this.aborted) callback();
    else this.#callbacks.push(callback);
  }

  leave(): void {
    this.aborted = true;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

/** A request for a part and what came of it. */
export interface Served {
  readonly requester: FakeRequester;
  /** Undefined until the request was answered; null: refused. */
  frame: LeasedFrame | null | undefined;
}

interface RigOptions extends QueueLimits {
  readonly slots: number;
  readonly seedChoking: SeedChoking;
}

/** One shared file of five parts, the last one short, read by a reader that a test directs. */
export class UploadRig {
  readonly content = seededBytes('uploaded', 4 * PART + 1234);
  readonly id = md5(this.content) as FileMd5;
  readonly clock = new ManualClock();
  readonly slab: Slab;
  readonly cache: PartCache;
  readonly loads: FrameLoads;
  readonly upload: Upload;
  /** Parts that were read. */
  readonly reads: number[] = [];
  readonly warnings: string[] = [];
  /** What reading comes to. */
  failure: JobFailure | null = null;
  isOwned: (part: number) => boolean = () => true;
  /** Where the file is read. */
  fd = 3;
  /** Of each read, where it was made. */
  readonly fds: number[] = [];
  changes = 0;
  /** How often peers were seen to wait for a slot. */
  contentions = 0;
  #held: Promise<void> | null = null;
  #letGo: () => void = () => {};

  constructor(options: Partial<RigOptions> = {}, slabBytes = 262_144) {
    const { slots = 4, seedChoking = 'round-robin', ...limits } = options;
    this.slab = new Slab(slabBytes);
    this.cache = new PartCache(this.slab);
    const logger: Logger = { ...silentLogger, warn: (_, message) => this.warnings.push(message) };
    const file: ServedFile = {
      geometry: partGeometry(this.content.length, PART),
      origin: (part) => (this.isOwned(part) ? { kind: 'descriptor', fd: this.fd } : null),
      midstates: null,
      changed: () => this.changes++,
    };
    this.loads = new FrameLoads({
      memory: this.cache,
      readFrame: (job) => this.#read(job),
      ...{ chunkSize: CHUNK, clock: this.clock, logger },
    });
    this.upload = new Upload({
      find: (id) => (id === this.id ? file : null),
      loads: this.loads,
      limits: { ...DEFAULT_QUEUE_LIMITS, ...limits },
      slots,
      seedChoking,
      limit: { rate: null, passed: 0, pace: () => ({ slice: Number.POSITIVE_INFINITY, wait: () => null }) },
      contended: () => this.contentions++,
      random: () => 0,
      chunkSize: CHUNK,
      clock: this.clock,
      logger,
    });
  }

  /** Asks for a part, and gives what can happen at once the time to. */
  async ask(part: number, ip = '10.0.0.1', id = this.id): Promise<Served> {
    const served: Served = { requester: new FakeRequester(ip), frame: undefined };
    void this.upload.serve(id, part, served.requester).then((frame) => {
      served.frame = frame;
    });
    await this.settle();
    return served;
  }

  /** Reading waits until `letGo` from now on. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#letGo = resolve;
    });
  }

  async letGo(): Promise<void> {
    this.#held = null;
    this.#letGo();
    await this.settle();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turns = 5; turns > 0; turns--) await setImmediate();
  }

  /** Asserts that the part was given, whole, and ends its lease. */
  async assertGiven(served: Served, part: number, sent = true): Promise<void> {
    const data = this.content.subarray(part * PART, (part + 1) * PART);
    assert.ok(served.frame, `part ${part} was not given`);
    assert.ok(arep(data, chunksOf(CHUNK)(data.length)).equals(served.frame.frame), `part ${part} is wrong`);
    assert.equal(served.frame.payloadBytes, data.length);
    served.frame.release(sent);
    await this.settle();
  }

  /** Asserts that the request was refused, and all there were for these reasons. */
  assertRefused(served: Served, refused: Record<string, number>): void {
    assert.equal(served.frame, null);
    assert.deepEqual(this.refused(), refused);
  }

  /** What was refused so far, by reason. */
  refused(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.upload.stats().refused).filter(([, count]) => count > 0));
  }

  /** Asserts that nothing is held but by the cache, nobody waits and no timer runs. */
  assertIdle(): void {
    this.upload.stop();
    const { queued, loading } = this.upload.stats();
    assert.deepEqual({ queued, loading }, { queued: 0, loading: 0 });
    assert.equal(this.cache.stats().waiting, 0);
    assert.deepEqual(this.clock.pending, []);
    this.cache.clear();
    assert.equal(this.slab.stats().usedBytes, 0);
  }

  async #read({
    origin,
    position,
    length,
    offset,
    chunkSize,
  }: ReadFrameJob): Promise<{ ok: true } | JobFailure> {
    this.reads.push(position / PART);
    if (origin.kind === 'descriptor') this.fds.push(origin.fd);
    await (this.#held ?? setImmediate());
    if (this.failure !== null) return this.failure;
    const data = this.content.subarray(position, position + length);
    Buffer.from(this.slab.buffer).set(arep(data, chunksOf(chunkSize)(length)), offset);
    return { ok: true };
  }
}
