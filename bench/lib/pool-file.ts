/** A file on disk whose midstates are known, and the worker pool that verifies it by them (PROTOCOL.md §7.2). */
import { type FileHandle, open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { JobFailure, VerifyPart } from '../../src/compute/jobs.js';
import { WorkerPool } from '../../src/compute/pool.js';
import { Slab, type Slot } from '../../src/compute/slab.js';
import { type FileIdentity, identityOf } from '../../src/model/file-identity.js';
import {
  DEFAULT_PART_SIZE,
  type PartGeometry,
  partGeometry,
  partIndexes,
  partLength,
  partOffset,
} from '../../src/model/geometry.js';
import type { PartIndex } from '../../src/model/ids.js';
import { INITIAL_STATE, STATE_BYTES } from '../../workers/kernels/md5-definition.js';

/** As many as the hash kernel takes at once. */
const PARTS_PER_TASK = 8;
/** The second is in a thread's queue when its first is done. */
const TASKS_PER_THREAD = 2;
/** For each thread's kernel: its scratch is far smaller. */
const SCRATCH_ROOM = 65_536;

export class PoolFile {
  readonly #file: FileHandle;
  readonly #geometry: PartGeometry;
  /** The state before each part, and Filemd5; no views of anything larger, which would go to the workers with all of it. */
  readonly #states: readonly Uint8Array[];
  readonly #pool: WorkerPool;
  readonly #slots: readonly Slot[];

  private constructor(
    file: FileHandle,
    geometry: PartGeometry,
    states: readonly Uint8Array[],
    pool: WorkerPool,
    slots: readonly Slot[],
  ) {
    this.#file = file;
    this.#geometry = geometry;
    this.#states = states;
    this.#pool = pool;
    this.#slots = slots;
  }

  /** Starts the pool, with a thread for every core, and has it hash the file once: that warms the page cache, too. */
  static async open(path: string): Promise<PoolFile> {
    const threads = availableParallelism();
    const [tasks, taskBytes] = [threads * TASKS_PER_THREAD, PARTS_PER_TASK * DEFAULT_PART_SIZE];
    const slab = new Slab(tasks * taskBytes + threads * SCRATCH_ROOM);
    const pool = new WorkerPool(slab, { threads, verifies: true });
    const file = await open(path);
    const identity = identityOf(await file.stat({ bigint: true }));
    const geometry = partGeometry(identity.size, DEFAULT_PART_SIZE);
    const states = await hashOnce(pool, path, identity);
    const slots = Array.from({ length: tasks }, () => slab.acquire(taskBytes)!);
    return new PoolFile(file, geometry, states, pool, slots);
  }

  /** Verifies the whole file, each part alone; throws when one does not link. */
  async verify(): Promise<void> {
    const parts = [...partIndexes(this.#geometry)].reverse();
    // Settled: a slot is free for the next time only when nobody works in it.
    const ends = await Promise.allSettled(this.#slots.map((slot) => this.#verifyRest(parts, slot)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
    await this.#file.close();
  }

  /** Takes parts from the end of `left` until none is left. */
  async #verifyRest(left: PartIndex[], slot: Slot): Promise<void> {
    while (left.length > 0) {
      const parts = left.splice(-PARTS_PER_TASK).reverse();
      const jobs = parts.map((part, at) => this.#job(part, slot.offset + at * DEFAULT_PART_SIZE));
      const result = await this.#pool.run('verifyParts', {
        dataFd: this.#file.fd,
        journalFd: null,
        parts: jobs,
      });
      if (!result.ok) throw failed(result);
      for (const [at, { ends }] of result.outcomes.entries()) {
        if (Buffer.compare(ends, this.#states[parts[at]! + 1]!) !== 0) {
          throw new Error(`part ${parts[at]} does not link`);
        }
      }
    }
  }

  #job(part: PartIndex, offset: number): VerifyPart {
    const { fileSize, partCount } = this.#geometry;
    return {
      source: { kind: 'disk', offset, length: partLength(this.#geometry, part) },
      position: partOffset(this.#geometry, part),
      mark: 0,
      starts: this.#states[part]!,
      ending: part === partCount - 1 ? { fileSize, md5: this.#states[partCount]!, suffixes: [] } : null,
    };
  }
}

/** The states of a whole file, by the sequential hash. */
async function hashOnce(pool: WorkerPool, path: string, identity: FileIdentity): Promise<Uint8Array[]> {
  const job = { path, identity, from: 0, to: identity.size, partSize: DEFAULT_PART_SIZE, saved: null };
  const result = await pool.run('hashSlice', { ...job, last: true });
  if (!result.ok) throw failed(result);
  const { midstates, md5 } = result;
  const states = Array.from({ length: midstates.length / STATE_BYTES }, (_, at) =>
    midstates.slice(at * STATE_BYTES, (at + 1) * STATE_BYTES),
  );
  return [INITIAL_STATE, ...states, Uint8Array.from(Buffer.from(md5!, 'hex'))];
}

const failed = ({ code, detail }: JobFailure): Error => new Error(`${code}: ${detail}`);
