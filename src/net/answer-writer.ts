/**
 * The sending side of an accepted connection.
 *
 * Invariant: bytes leave in the order in which answers were given. `backlog` counts those the kernel has not taken. A
 * frame in `#leases` is released exactly once: when the kernel took its last byte, or when the connection is gone (its
 * socket destroyed, so that nothing reads the memory any more).
 */
import type { Socket } from 'node:net';
import type { LeasedFrame, PaceWait, UploadPace } from './handler.js';

/** Answers up to this size are joined into one write with their neighbours; the copy costs less than a write. */
const COALESCE = 4_096;

/** Bytes that left, over all connections of a listener. */
interface BytesOut {
  bytesOut: number;
  payloadOut: number;
  overheadOut: number;
}

export interface AnswerWriterInit {
  readonly socket: Socket;
  readonly counts: BytesOut;
  /** The kernel took some bytes. */
  readonly progress: () => void;
}

export class AnswerWriter {
  readonly #init: AnswerWriterInit;
  readonly #leases = new Set<LeasedFrame>();
  #small: Uint8Array[] = [];
  #smallBytes = 0;
  /** A frame is being written in slices, and `#behind` waits for its end. */
  #slicing = false;
  /** The slice's wait for the pace. */
  #paceWait: PaceWait | null = null;
  readonly #behind: (Uint8Array | LeasedFrame)[] = [];
  #backlog = 0;
  #inSocket = 0;
  #writes = 0;

  constructor(init: AnswerWriterInit) {
    this.#init = init;
  }

  /** Bytes given and not yet taken by the kernel. */
  get backlog(): number {
    return this.#backlog;
  }

  /** The part of the backlog that the other side keeps waiting, not a rate limit. */
  get inSocket(): number {
    return this.#inSocket;
  }

  /** Writes that the kernel has taken whole. */
  get writes(): number {
    return this.#writes;
  }

  /** Queues an answer; small ones leave with the next larger one or at `flush`. */
  push(answer: Uint8Array | LeasedFrame): void {
    if (answer instanceof Uint8Array) {
      this.#backlog += answer.length;
    } else {
      this.#backlog += answer.frame.length;
      this.#leases.add(answer);
    }
    if (this.#slicing) this.#behind.push(answer);
    else this.#take(answer);
  }

  /** Sends what was gathered, in one write. */
  flush(): void {
    const [first] = this.#small;
    if (first === undefined) return;
    const bytes = this.#small.length === 1 ? first : Buffer.concat(this.#small, this.#smallBytes);
    this.#small = [];
    this.#smallBytes = 0;
    this.#writeAnswer(bytes);
  }

  /** The socket is destroyed: gives all frames back. */
  gone(): void {
    this.#paceWait?.cancel();
    for (const frame of [...this.#leases]) this.#release(frame, false);
  }

  #take(answer: Uint8Array | LeasedFrame): void {
    if (!(answer instanceof Uint8Array)) {
      this.flush();
      this.#send(answer);
    } else if (answer.length <= COALESCE) {
      this.#small.push(answer);
      this.#smallBytes += answer.length;
    } else {
      this.flush();
      this.#writeAnswer(answer);
    }
  }

  #send(answer: LeasedFrame): void {
    const { pace } = answer;
    if (pace !== null && pace.slice < Number.POSITIVE_INFINITY) {
      this.#slicing = true;
      void this.#sendInSlices(answer, pace);
    } else {
      this.#write(answer.frame, (taken) => this.#release(answer, taken));
    }
  }

  async #sendInSlices(answer: LeasedFrame, pace: UploadPace): Promise<void> {
    const { frame } = answer;
    for (let at = 0; at < frame.length; ) {
      const slice = frame.subarray(at, at + pace.slice);
      if (!(await this.#paced(slice.length, pace)) || !(await this.#written(slice))) break;
      at += slice.length;
    }
    this.#release(answer, !this.#init.socket.destroyed);
    this.#slicing = false;
    while (!this.#slicing && this.#behind.length > 0) this.#take(this.#behind.shift()!);
    this.flush();
  }

  /** False when the socket is destroyed, before or meanwhile: it takes no share of the rate any more. */
  async #paced(bytes: number, pace: UploadPace): Promise<boolean> {
    if (this.#init.socket.destroyed) return false;
    this.#paceWait = pace.wait(bytes);
    await this.#paceWait?.over;
    this.#paceWait = null;
    return !this.#init.socket.destroyed;
  }

  #written(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => this.#write(bytes, resolve));
  }

  #writeAnswer(bytes: Uint8Array): void {
    this.#write(bytes, (taken) => {
      if (taken) this.#init.counts.overheadOut += bytes.length;
    });
  }

  #write(bytes: Uint8Array, done?: (taken: boolean) => void): void {
    const { socket, counts, progress } = this.#init;
    this.#inSocket += bytes.length;
    socket.write(bytes, (error) => {
      this.#inSocket -= bytes.length;
      this.#backlog -= bytes.length;
      // Node reports no error for a write that was under way when the socket was destroyed.
      const taken = error == null && !socket.destroyed;
      if (taken) {
        counts.bytesOut += bytes.length;
        this.#writes++;
      }
      done?.(taken);
      progress();
    });
  }

  #release(frame: LeasedFrame, sent: boolean): void {
    if (!this.#leases.delete(frame)) return;
    if (sent) {
      this.#init.counts.payloadOut += frame.payloadBytes;
      this.#init.counts.overheadOut += frame.frame.length - frame.payloadBytes;
    }
    frame.release(sent);
  }
}
