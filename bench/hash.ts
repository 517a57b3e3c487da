/** `bugtorrent bench hash`: how fast one core takes MD5s of parts as they land, by each of the ways there are. */
import { createHash } from 'node:crypto';
import { createMD5 } from 'hash-wasm';
import { SCRATCH_BYTES } from '../workers/kernels/abi.js';
import type { Md5Lane } from '../workers/kernels/lane.js';
import { INITIAL_STATE } from '../workers/kernels/md5-definition.js';
import { Md5Kernel } from '../workers/kernels/md5-kernel.js';
import { compileMd5 } from '../workers/kernels/md5-module.js';

const PAGE = 65_536;
const PART_BYTES = 262_144;
const CHUNK_BYTES = 65_536;
const CHUNK_HEADER = 5;
/** Parts go round, so that every way finds its data in the same caches. */
const PARTS = 8;
const FRAME_BYTES = PART_BYTES + (PART_BYTES / CHUNK_BYTES) * CHUNK_HEADER;

const ROUNDS = 9;
const SLICE_MS = 30;

/** One way to hash: takes the next parts, and returns the digest of each. */
interface Contender {
  readonly name: string;
  readonly parts: number;
  hash(parts: readonly Buffer[][]): string[];
}

export interface HashRate {
  readonly name: string;
  /** Bytes per second of CPU time, which other programs on the machine do not slow down. */
  readonly perCore: number;
  /** Bytes per second of wall time. */
  readonly wall: number;
}

/** Prints the rates, as JSON (one result a line) or as a table. */
export async function run({ json }: { json: boolean }): Promise<void> {
  const rates = await measureHashes(ROUNDS, SLICE_MS);
  if (json) {
    for (const { name, perCore, wall } of rates) {
      console.log(
        JSON.stringify({ event: 'result', bench: 'hash', name, value: perCore, unit: 'B/s', wall }),
      );
    }
    return;
  }
  const base = rates.find(({ name }) => name === 'node-crypto')!;
  console.log(`MD5 of ${PART_BYTES}-byte parts, median of ${ROUNDS} rounds`);
  console.log(
    `${''.padEnd(16)}${'GB/s per core'.padStart(14)}${'× node-crypto'.padStart(15)}${'GB/s wall'.padStart(11)}`,
  );
  for (const { name, perCore, wall } of rates) {
    const columns = [
      (perCore / 1e9).toFixed(2).padStart(14),
      (perCore / base.perCore).toFixed(2).padStart(15),
    ];
    console.log(`${name.padEnd(16)}${columns.join('')}${(wall / 1e9).toFixed(2).padStart(11)}`);
  }
}

/** Medians over `rounds` rounds in which every way gets `sliceMs` in turn. Throws when two ways disagree on a digest. */
export async function measureHashes(rounds: number, sliceMs: number): Promise<HashRate[]> {
  const pages = 1 + Math.ceil((PARTS * FRAME_BYTES) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  // The first page is the kernels' scratch.
  const parts = Array.from({ length: PARTS }, (_, part) => landed(memory, PAGE + part * FRAME_BYTES));
  const contenders = await allContenders(memory);
  checkAgreement(contenders, parts);
  const samples = contenders.map(() => [] as Omit<HashRate, 'name'>[]);
  // The round before the first lets the engine finish compiling.
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const sample = measure(contender, parts, sliceMs);
      if (round >= 0) samples[index]!.push(sample);
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    perCore: median(samples[index]!.map(({ perCore }) => perCore)),
    wall: median(samples[index]!.map(({ wall }) => wall)),
  }));
}

/** A part's chunks behind their headers, at no even address, as a socket leaves them. */
function landed(memory: WebAssembly.Memory, offset: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = offset + CHUNK_HEADER; at < offset + FRAME_BYTES; at += CHUNK_BYTES + CHUNK_HEADER) {
    const chunk = Buffer.from(memory.buffer, at, CHUNK_BYTES);
    for (let byte = 0; byte < CHUNK_BYTES; byte++) chunk[byte] = (at + byte) % 251;
    chunks.push(chunk);
  }
  return chunks;
}

async function allContenders(memory: WebAssembly.Memory): Promise<Contender[]> {
  const kernel = new Md5Kernel(compileMd5(), memory, 0);
  const scalar = new Md5Kernel(compileMd5('scalar'), memory, SCRATCH_BYTES);
  const wasm = await createMD5();
  return [
    {
      name: 'node-crypto',
      parts: 1,
      hash: ([part]) => {
        const md5 = createHash('md5');
        for (const chunk of part!) md5.update(chunk);
        return [md5.digest('hex')];
      },
    },
    {
      name: 'hash-wasm',
      parts: 1,
      hash: ([part]) => {
        wasm.init();
        for (const chunk of part!) wasm.update(chunk);
        return [wasm.digest('hex')];
      },
    },
    { name: 'scalar', parts: 4, hash: (parts) => digests(scalar, parts) },
    ...[1, 2, 3, 4, 8].map((lanes) => ({
      name: lanes === 1 ? 'kernel-1-lane' : `kernel-${lanes}-lanes`,
      parts: lanes,
      hash: (parts: readonly Buffer[][]) => digests(kernel, parts),
    })),
  ];
}

function digests(kernel: Md5Kernel, parts: readonly Buffer[][]): string[] {
  const lanes = parts.map(
    (segments): Md5Lane => ({ state: INITIAL_STATE, segments, ending: { length: PART_BYTES } }),
  );
  return kernel.hash(lanes).map((digest) => Buffer.from(digest).toString('hex'));
}

function checkAgreement(contenders: readonly Contender[], parts: readonly Buffer[][]): void {
  const [reference] = contenders;
  const expected = parts.map((part) => reference!.hash([part])[0]);
  for (const { name, parts: count, hash } of contenders) {
    const found = hash(parts.slice(0, count));
    if (found.some((digest, index) => digest !== expected[index]))
      throw new Error(`${name} gives a wrong MD5`);
  }
}

function measure({ parts: count, hash }: Contender, parts: readonly Buffer[][], sliceMs: number) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let bytes = 0;
  let elapsed = 0;
  for (let next = 0; elapsed < sliceMs; elapsed = performance.now() - start) {
    hash(Array.from({ length: count }, (_, index) => parts[(next + index) % PARTS]!));
    next += count;
    bytes += count * PART_BYTES;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { perCore: (bytes * 1e6) / (user + system), wall: (bytes * 1e3) / elapsed };
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[values.length >> 1]!;
