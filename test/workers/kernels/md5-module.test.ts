import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SCRATCH_BYTES } from '../../../workers/kernels/abi.js';
import { INITIAL_STATE } from '../../../workers/kernels/md5-definition.js';
import { Md5Kernel } from '../../../workers/kernels/md5-kernel.js';
import { compileMd5 } from '../../../workers/kernels/md5-module.js';
import { DATA, filledMemory, md5, messageOf, SCRATCH } from './hashed-memory.js';
import type { KernelThreadData } from './kernel-thread.js';

const lanesOf = (module: WebAssembly.Module) => new Md5Kernel(module, filledMemory(), SCRATCH).lanes;

test('the kernel runs twelve lanes at once where the machine has v128', async () => {
  assert.equal(lanesOf(compileMd5()), 12);
});

test('the scalar path is taken where the machine does not accept v128', async (context) => {
  context.mock.method(WebAssembly, 'validate', () => false);
  const module = compileMd5();
  assert.equal(lanesOf(module), 2);
});

test('threads with a scratch each hash at once on one memory with one compiled module', async () => {
  const module = compileMd5();
  const memory = filledMemory();
  const messages = Array.from({ length: 11 }, (_, index) => [
    { byteOffset: DATA + index, length: 9000 + index },
  ]);
  const lanes = messages.map((segments) => ({
    state: INITIAL_STATE,
    segments,
    ending: { length: segments[0]!.length },
  }));
  const threads = [0, 1].map((index) => {
    const scratch = SCRATCH + index * SCRATCH_BYTES;
    const workerData: KernelThreadData = { module, memory, scratch, lanes, rounds: 100 };
    return new Worker(new URL('./kernel-thread.js', import.meta.url), { workerData });
  });
  const ends = threads.map((thread) => once(thread, 'exit'));
  const results = await Promise.all(threads.map((thread) => once(thread, 'message')));
  const expected = messages.map((segments) => md5(messageOf(memory, segments))).join();
  assert.deepEqual(results, [[[expected]], [[expected]]]);
  assert.deepEqual(await Promise.all(ends), [[0], [0]]);
});
