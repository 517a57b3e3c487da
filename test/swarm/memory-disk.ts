import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type {
  ComparePartsJob,
  ComparePartsResult,
  FinishHashJob,
  FinishHashResult,
  HashInput,
  HashPartsJob,
  JobFailure,
  StorePartsJob,
  VerifyPart,
  VerifyPartsJob,
  VerifyPartsResult,
} from '../../src/compute/jobs.js';
import type { Slab, Slot } from '../../src/compute/slab.js';
import type { DownloadTasks } from '../../src/swarm/download.js';
import { SCRATCH_BYTES } from '../../workers/kernels/abi.js';
import { Md5Kernel } from '../../workers/kernels/md5-kernel.js';
import { compileMd5 } from '../../workers/kernels/md5-module.js';
import { outcomesOf } from '../../workers/part-outcomes.js';
import { chunksIn, payloadOf } from './payload.js';

type Kind = 'store' | 'verify' | 'compare' | 'hash';

const kernelModule = compileMd5();

/**
 * A download's file and journal in memory, and the tasks that workers do on them. A task touches its bytes a turn after
 * it was given, tasks of one kind in their order.
 */
export class MemoryDisk implements DownloadTasks {
  readonly dataFd = 7;
  readonly journalFd = 8;
  readonly data: Buffer;
  /** Positions in the journal that are marked. */
  readonly marks = new Set<number>();
  /** What tasks of a kind come back with from now on; an Error is thrown. */
  readonly failing: Partial<Record<Kind, JobFailure | Error>> = {};
  /** How many tasks of each kind there were. */
  readonly tasks: Record<Kind, number> = { store: 0, verify: 0, compare: 0, hash: 0 };
  /** Told of each part that was hashed from states, with its bytes, and the states. */
  onVerified: (position: number, bytes: Buffer, starts: Uint8Array) => void = () => {};
  /** The most inputs one hash task had. */
  largestHashTask = 0;
  /** Bytes hashed that were read from the file. */
  bytesReadBack = 0;
  readonly #slab: Slab;
  #kernel: { readonly md5: Md5Kernel; readonly scratch: Slot } | null = null;
  readonly #hashes = new Map<number, Hash>();
  readonly #held: Partial<Record<Kind, { readonly over: Promise<void>; readonly letGo: () => void }>> = {};

  constructor(slab: Slab, fileSize: number) {
    this.#slab = slab;
    this.data = Buffer.alloc(fileSize);
  }

  /** Hashes that were begun and neither finished nor dropped. */
  get hashesUnderWay(): number {
    return this.#hashes.size;
  }

  /** Tasks of the kind wait until `letGo` from now on. */
  hold(kind: Kind): void {
    let letGo = () => {};
    const over = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    this.#held[kind] = { over, letGo };
  }

  letGo(kind: Kind): void {
    this.#held[kind]?.letGo();
    delete this.#held[kind];
  }

  async storeParts({ dataFd, journalFd, parts }: StorePartsJob): Promise<{ ok: true } | JobFailure> {
    const failure = await this.#begin('store');
    if (failure !== null) return failure;
    assert.deepEqual([dataFd, journalFd], [this.dataFd, this.journalFd]);
    for (const { position, mark, frame } of parts) {
      this.data.set(payloadOf(this.#slab, frame), position);
      this.marks.add(mark);
    }
    return { ok: true };
  }

  /** Bytes of the slab that the kernel took for itself. */
  get scratchBytes(): number {
    return this.#kernel?.scratch.length ?? 0;
  }

  async verifyParts({ dataFd, journalFd, parts }: VerifyPartsJob): Promise<VerifyPartsResult | JobFailure> {
    const failure = await this.#begin('verify');
    if (failure !== null) return failure;
    assert.deepEqual([dataFd, journalFd], [this.dataFd, this.journalFd]);
    const segments = parts.map((part) => this.#segmentsOf(part));
    const outcomes = outcomesOf(this.#md5Kernel(), parts, segments);
    for (const [at, { source, position, mark, starts }] of parts.entries()) {
      const bytes = Buffer.concat(segments[at]!);
      this.onVerified(position, bytes, starts);
      if (source.kind === 'disk') continue;
      this.data.set(bytes, position);
      this.marks.add(mark);
    }
    return { ok: true, outcomes };
  }

  async compareParts({ fd, parts }: ComparePartsJob): Promise<ComparePartsResult | JobFailure> {
    const failure = await this.#begin('compare');
    if (failure !== null) return failure;
    assert.equal(fd, this.dataFd);
    const digest = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('binary');
    const digests = parts.map(({ position, frame }) => ({
      landed: digest(payloadOf(this.#slab, frame)),
      stored: digest(this.data.subarray(position, position + frame.length)),
    }));
    return { ok: true, digests };
  }

  async hashParts({ hash, inputs }: HashPartsJob): Promise<{ ok: true } | JobFailure> {
    this.largestHashTask = Math.max(this.largestHashTask, inputs.length);
    const failure = await this.#begin('hash');
    if (failure !== null) return failure;
    const md5 = this.#hashes.get(hash) ?? createHash('md5');
    this.#hashes.set(hash, md5);
    for (const input of inputs) md5.update(this.#bytesOf(input));
    return { ok: true };
  }

  async finishHash({ hash, suffixes }: FinishHashJob): Promise<FinishHashResult | JobFailure> {
    await setImmediate();
    const md5 = this.#hashes.get(hash) ?? createHash('md5');
    this.#hashes.delete(hash);
    const salted = suffixes.map((suffix) => md5.copy().update(suffix).digest('hex'));
    return { ok: true, md5: md5.digest('hex'), salted };
  }

  async #begin(kind: Kind): Promise<JobFailure | null> {
    this.tasks[kind]++;
    await (this.#held[kind]?.over ?? setImmediate());
    const failure = this.failing[kind];
    if (failure instanceof Error) throw failure;
    return failure ?? null;
  }

  #md5Kernel(): Md5Kernel {
    if (this.#kernel === null) {
      const scratch = this.#slab.acquire(SCRATCH_BYTES);
      assert.ok(scratch !== null, 'the slab of the test has no room for the kernel');
      this.#kernel = { md5: new Md5Kernel(kernelModule, this.#slab.memory, scratch.offset), scratch };
    }
    return this.#kernel.md5;
  }

  #segmentsOf({ source, position }: VerifyPart): Buffer[] {
    if (source.kind === 'frame') return chunksIn(this.#slab, source.frame);
    const { offset, length } = source;
    this.bytesReadBack += length;
    const view = Buffer.from(this.#slab.buffer, offset, length);
    view.set(this.data.subarray(position, position + length));
    return [view];
  }

  #bytesOf(input: HashInput): Buffer {
    if (input.kind === 'frame') return payloadOf(this.#slab, input.frame);
    assert.equal(input.fd, this.dataFd);
    this.bytesReadBack += input.length;
    return this.data.subarray(input.position, input.position + input.length);
  }
}
