/**
 * Parts for those who read a file here, over HTTP: the frames that peers are sent, from the same memory.
 *
 * Invariant: together they hold at most `mostBytes` of the slab, or a single part where that is more; who finds no room
 * waits in the order of coming. So readers that take their time leave the rest of it to peers and downloads.
 */
import { OperationalError } from '../core/errors.js';
import { partLength } from '../model/geometry.js';
import type { Gone } from '../net/handler.js';
import { frameLength, payloadRuns } from '../protocol/frame.js';
import type { FrameLoads, NoFrame, WantedFrame } from './frame-loads.js';

/** As long as a peer's request may wait (PROTOCOL.md §4). */
const WAIT_MS = 30_000;

export interface PartBytes {
  /** In order, without a copy. */
  readonly views: readonly Buffer[];
  /** Called once; the views are not to be touched after it. */
  release(): void;
}

export interface PartReadsInit {
  readonly loads: Pick<FrameLoads, 'frame'>;
  /** Of the frames that `loads` gives: bytes of data in a chunk. */
  readonly chunkSize: number;
  readonly mostBytes: number;
}

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

export class PartReads {
  readonly #init: PartReadsInit;
  readonly #waiting = new Set<Waiting>();
  #held = 0;

  constructor(init: PartReadsInit) {
    this.#init = init;
  }

  /** The part's bytes from `from` up to `to`, not included. Throws OperationalError, also when `signal` aborts. */
  async read(
    wanted: WantedFrame,
    { from, to }: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): Promise<PartBytes> {
    const { loads, chunkSize } = this.#init;
    const length = partLength(wanted.file.geometry, wanted.part);
    const bytes = frameLength(length, chunkSize);
    const gone = goneWith(signal);
    try {
      await this.#room(bytes, gone);
      const slot = await loads.frame(wanted, { gone, waitMs: WAIT_MS });
      if (typeof slot === 'string') {
        this.#leave(bytes);
        throw trouble(slot);
      }
      return {
        views: payloadRuns(length, chunkSize, from, to).map(([begin, end]) => slot.view(begin, end)),
        release: () => {
          slot.release();
          this.#leave(bytes);
        },
      };
    } finally {
      gone.end();
    }
  }

  stats() {
    return { heldBytes: this.#held, waiting: this.#waiting.size };
  }

  async #room(bytes: number, gone: Gone): Promise<void> {
    if (this.#waiting.size > 0 || !this.#fits(bytes)) {
      await new Promise<void>((resolve, reject) => {
        const waiting = { bytes, go: resolve };
        this.#waiting.add(waiting);
        gone.onAbort(() => {
          if (this.#waiting.delete(waiting)) reject(trouble('gone-while-waiting'));
          this.#advance();
        });
      });
    } else this.#held += bytes;
  }

  #leave(bytes: number): void {
    this.#held -= bytes;
    this.#advance();
  }

  #advance(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return;
      this.#waiting.delete(waiting);
      this.#held += waiting.bytes;
      waiting.go();
    }
  }

  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#init.mostBytes;
  }
}

/** Until `end`, so that a signal which outlives many reads has no more listeners than there are reads. */
function goneWith(signal: AbortSignal): Gone & { end(): void } {
  const callbacks: (() => void)[] = [];
  const aborted = () => {
    for (const callback of callbacks.splice(0)) callback();
  };
  signal.addEventListener('abort', aborted);
  return {
    get aborted() {
      return signal.aborted;
    },
    onAbort(callback) {
      if (signal.aborted) callback();
      else callbacks.push(callback);
    },
    end: () => signal.removeEventListener('abort', aborted),
  };
}

function trouble(why: NoFrame): OperationalError {
  switch (why) {
    case 'no-memory':
      return new OperationalError('stalled', 'NO_MEMORY', 'there is no memory for the part: try again later');
    case 'unreadable':
      return new OperationalError('disk', 'UNREADABLE', 'the part cannot be read from the disk');
    default:
      return new OperationalError('interrupted', 'INTERRUPTED', 'the reader has gone, or the daemon stops');
  }
}
