import { arep, chunksOf, type Framing } from './base-frame.js';

/** One RETP as the peer saw it. */
export interface AskedPart {
  readonly part: number;
  /** How many RETPs for this part came before this one. */
  readonly turn: number;
  /** The true bytes of the part. */
  readonly data: Uint8Array;
}

/** What the peer sends, and what it does with the connection afterwards. */
export interface ScriptedAnswer {
  readonly bytes: Uint8Array;
  /** `done`: as the peer always does after an answer; `close`, `reset`; `hang`: says nothing ever again. */
  readonly afterwards: 'done' | 'close' | 'reset' | 'hang';
}

export type Script = (asked: AskedPart) => ScriptedAnswer;

const base: Framing = chunksOf(4096);

/** The right bytes, in 4,096-byte chunks unless told otherwise. */
export function honest(framing: Framing = base): Script {
  return ({ data }) => ({ bytes: arep(data, framing(data.length)), afterwards: 'done' });
}

/** Well-framed wrong bytes for the parts `lies` picks, the right ones for all others. */
export function lying(lies: (asked: AskedPart) => boolean, framing: Framing = base): Script {
  const truth = honest(framing);
  return (asked) => {
    if (!lies(asked)) return truth(asked);
    return truth({ ...asked, data: asked.data.map((byte) => byte ^ 0xff) });
  };
}

/** Wrong bytes in the first part it is asked for, each time, and the right ones in all others. */
export function lyingOnce(): Script {
  let lie = -1;
  return lying(({ part }) => {
    if (lie < 0) lie = part;
    return part === lie;
  });
}

/** A line of prose instead of an answer (PROTOCOL.md §2): a refusal. */
export const prose: Script = () => ({
  bytes: Buffer.from('ERROR: no such file here\r\n'),
  afterwards: 'close',
});

/** Closes without a byte. */
export const refusing: Script = () => ({ bytes: Buffer.alloc(0), afterwards: 'close' });

/** Takes the request and never answers. */
export const silent: Script = () => ({ bytes: Buffer.alloc(0), afterwards: 'hang' });

/** Sends the first `bytes` of the right frame, never all of it, then stalls, closes or resets. */
export function breaking(bytes: number, afterwards: 'hang' | 'close' | 'reset'): Script {
  const truth = honest();
  return (asked) => {
    const frame = truth(asked).bytes;
    return { bytes: frame.subarray(0, Math.min(bytes, frame.length - 1)), afterwards };
  };
}

/** Frames that no part can have; each ends by leaving the connection open, so that the client must end it. */
export const impossible = {
  moreChunksThanBytes: framed((data) => arep(data, base(data.length)).fill('999999', 4, 10)),
  noChunks: framed((data) => arep(data, base(data.length)).fill('000000', 4, 10)),
  countNotANumber: framed((data) => arep(data, base(data.length)).fill('+00003', 4, 10)),
  emptyChunk: framed((data) => arep(data, [0, ...base(data.length)])),
  chunkPastTheEnd: framed((data) => arep(data.subarray(0, 4096), [4096]).fill('99999', 10, 15)),
  sumTooShort: framed((data) => arep(data.subarray(1), base(data.length - 1))),
  sumTooLong: framed((data) => arep(Buffer.concat([data, data.subarray(0, 1)]), [...base(data.length), 1])),
} as const;

function framed(frame: (data: Uint8Array) => Buffer): Script {
  return ({ data }) => ({ bytes: frame(data), afterwards: 'hang' });
}

/** The first `count` requests by one script, all later ones by another. */
export function firstThen(count: number, first: Script, later: Script): Script {
  let asked = 0;
  return (part) => {
    asked += 1;
    return asked <= count ? first(part) : later(part);
  };
}
