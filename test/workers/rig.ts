import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { ReadFrameJob, TaskName, Tasks } from '../../src/compute/jobs.js';
import { WorkerPool } from '../../src/compute/pool.js';
import { Slab } from '../../src/compute/slab.js';
import { type FileIdentity, identityOf } from '../../src/model/file-identity.js';
import type { LandedPart } from '../../src/swarm/landing.js';
import { atEnd } from '../support/clean-up.js';
import { landedPart } from '../swarm/payload.js';

/** A slab and one worker that shares it; gone when the test is over. */
export class WorkerRig {
  readonly slab = new Slab(2_097_152);
  readonly pool = new WorkerPool(this.slab, { threads: 1, verifies: true });

  constructor(t: TestContext) {
    atEnd(t, () => this.pool.stop());
  }

  /** A part in the slab that has landed in chunks of these lengths. */
  landed(data: Uint8Array, lengths: number[]): LandedPart {
    return landedPart(this.slab, 0, data, lengths);
  }

  /** Reads one frame, and gives 'ok' or the code of the failure. */
  async read(job: ReadFrameJob): Promise<string> {
    const { reads } = await this.run('readFrames', { frames: [job] });
    const [read] = reads;
    assert.ok(read !== undefined && reads.length === 1);
    return read.ok ? 'ok' : read.code;
  }

  /** Runs a task that has to succeed. */
  async run<T extends TaskName>(task: T, job: Tasks[T]['job']): Promise<Tasks[T]['result']> {
    const result = await this.pool.run(task, job);
    assert.ok(result.ok, JSON.stringify(result));
    return result;
  }

  /** Runs a task that has to fail, and gives the code of its failure. */
  async code<T extends TaskName>(task: T, job: Tasks[T]['job']): Promise<string> {
    const result = await this.pool.run(task, job);
    assert.ok(!result.ok, `${task} succeeded`);
    return result.code;
  }
}

export async function identity(path: string): Promise<FileIdentity> {
  return identityOf(await stat(path, { bigint: true }));
}
