/** The ways one core can take the MD5s of parts that lie where they landed. */
import { createHash } from 'node:crypto';
import { createMD5 } from 'hash-wasm';
import { SCRATCH_BYTES } from '../../workers/kernels/abi.js';
import type { Md5Lane } from '../../workers/kernels/lane.js';
import { INITIAL_STATE } from '../../workers/kernels/md5-definition.js';
import { Md5Kernel } from '../../workers/kernels/md5-kernel.js';
import { compileMd5 } from '../../workers/kernels/md5-module.js';

const PAGE = 65_536;
const PART_BYTES = 262_144;
const CHUNK_BYTES = 65_536;
const CHUNK_HEADER = 5;
/** Parts go round, so that every way finds its data in the same caches. */
const PARTS = 12;
const FRAME_BYTES = PART_BYTES + (PART_BYTES / CHUNK_BYTES) * CHUNK_HEADER;

/** The chunks of a part. */
export type LandedPart = readonly Buffer[];

/** One way to hash: takes `parts` parts at once, and returns the digest of each. */
export interface Md5Contender {
  readonly name: string;
  readonly parts: number;
  hash(parts: readonly LandedPart[]): string[];
}

/** All ways, by names that stay the same over time, and parts that all of them take. */
export async function md5Contenders(): Promise<{ contenders: Md5Contender[]; parts: LandedPart[] }> {
  const pages = 1 + Math.ceil((PARTS * FRAME_BYTES) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  // The first page is the kernels' scratch.
  const parts = Array.from({ length: PARTS }, (_, part) => landed(memory, PAGE + part * FRAME_BYTES));
  const kernel = new Md5Kernel(compileMd5(), memory, 0);
  const scalar = new Md5Kernel(compileMd5('scalar'), memory, SCRATCH_BYTES);
  const contenders: Md5Contender[] = [
    { name: 'node-crypto', parts: 1, hash: ([part]) => [nodeDigest(part!)] },
    await hashWasm(),
    { name: 'scalar', parts: 4, hash: (some) => digests(scalar, some) },
    ...[1, 2, 3, 4, 8, 12].map((lanes) => ({
      name: lanes === 1 ? 'kernel-1-lane' : `kernel-${lanes}-lanes`,
      parts: lanes,
      hash: (some: readonly LandedPart[]) => digests(kernel, some),
    })),
  ];
  return { contenders, parts };
}

/** Throws when one of the ways finds another MD5 than `node:crypto`. */
export function checkAgreement(contenders: readonly Md5Contender[], parts: readonly LandedPart[]): void {
  const expected = parts.map(nodeDigest);
  for (const { name, parts: count, hash } of contenders) {
    const found = hash(parts.slice(0, count));
    if (found.some((digest, at) => digest !== expected[at])) throw new Error(`${name} gives a wrong MD5`);
  }
}

/** Bytes per second of CPU time, which other programs do not slow down, of about `sliceMs` of hashing. */
export function ratePerCore(
  { parts: count, hash }: Md5Contender,
  parts: readonly LandedPart[],
  sliceMs: number,
) {
  const end = performance.now() + sliceMs;
  const before = process.cpuUsage();
  let hashed = 0;
  do {
    hash(Array.from({ length: count }, (_, at) => parts[(hashed + at) % parts.length]!));
    hashed += count;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (hashed * PART_BYTES * 1e6) / (user + system);
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

function nodeDigest(part: LandedPart): string {
  const md5 = createHash('md5');
  for (const chunk of part) md5.update(chunk);
  return md5.digest('hex');
}

async function hashWasm(): Promise<Md5Contender> {
  const md5 = await createMD5();
  return {
    name: 'hash-wasm',
    parts: 1,
    hash: ([part]) => {
      md5.init();
      for (const chunk of part!) md5.update(chunk);
      return [md5.digest('hex')];
    },
  };
}

function digests(kernel: Md5Kernel, parts: readonly LandedPart[]): string[] {
  const lanes = parts.map(
    (segments): Md5Lane => ({ state: INITIAL_STATE, segments, ending: { length: PART_BYTES } }),
  );
  return kernel.hash(lanes).map((digest) => Buffer.from(digest).toString('hex'));
}
