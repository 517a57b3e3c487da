/** What parts hash to from each of their possible start states (PROTOCOL.md §7.2), wherever their bytes lie. */
import type { PartOutcome, VerifyPart } from '../src/compute/jobs.js';
import { type Md5Lane, type Segment, tailOf } from './kernels/lane.js';
import { STATE_BYTES } from './kernels/md5-definition.js';
import type { Md5Kernel } from './kernels/md5-kernel.js';

type Hashed = Pick<VerifyPart, 'starts' | 'ending'>;
type Ending = NonNullable<VerifyPart['ending']>;

const encoder = new TextEncoder();

/** One call for all states of all parts, so that the kernel is full. `segments` has each part's bytes, in the kernel's memory. */
export function outcomesOf(
  kernel: Md5Kernel,
  parts: readonly Hashed[],
  segments: readonly (readonly Segment[])[],
): PartOutcome[] {
  const lanes = parts.map((part, at) => lanesOf(part, segments[at]!));
  const ends = kernel.hash(lanes.flat());
  return parts.map(({ starts, ending }, at) => {
    const own = ends.splice(0, lanes[at]!.length);
    const salted =
      ending === null
        ? []
        : statesOf(starts).map(
            (state, n) => !equal(own[n]!, ending.md5) && fitsSalted(kernel, state, segments[at]!, ending),
          );
    // A view of a larger buffer would go back to the main thread with all of it.
    return { ends: new Uint8Array(Buffer.concat(own)), salted };
  });
}

function lanesOf({ starts, ending }: Hashed, segments: readonly Segment[]): Md5Lane[] {
  const end = ending === null ? {} : { ending: { length: ending.fileSize } };
  return statesOf(starts).map((state) => ({ state, segments, ...end }));
}

/** Whether Filemd5 comes out with one of the suffixes: the part once, then only its tail for each of them. */
function fitsSalted(
  kernel: Md5Kernel,
  start: Uint8Array,
  segments: readonly Segment[],
  { fileSize, md5, suffixes }: Ending,
): boolean {
  if (suffixes.length === 0) return false;
  const [state] = kernel.hash([{ state: start, segments }]);
  const tail = tailOf(segments);
  const digests = kernel.hash(
    suffixes.map((suffix) => ({
      state: state!,
      segments: tail,
      ending: { length: fileSize, suffix: encoder.encode(suffix) },
    })),
  );
  return digests.some((digest) => equal(digest, md5));
}

function statesOf(starts: Uint8Array): Uint8Array[] {
  const states: Uint8Array[] = [];
  for (let at = 0; at < starts.length; at += STATE_BYTES) states.push(starts.subarray(at, at + STATE_BYTES));
  return states;
}

const equal = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
