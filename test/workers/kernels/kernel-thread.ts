/** A thread that hashes the same lanes again and again with a kernel of its own, and posts every result once. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Md5Lane } from '../../../workers/kernels/lane.js';
import { Md5Kernel } from '../../../workers/kernels/md5-kernel.js';
import { hex } from './hashed-memory.js';

export interface KernelThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly scratch: number;
  readonly lanes: readonly Md5Lane[];
  readonly rounds: number;
}

const { module, memory, scratch, lanes, rounds } = workerData as KernelThreadData;
const kernel = new Md5Kernel(module, memory, scratch);
const seen = new Set<string>();
for (let round = 0; round < rounds; round++) seen.add(kernel.hash(lanes).map(hex).join());
parentPort!.postMessage([...seen]);
