import type { Request } from '../protocol/messages.js';

/** Answers one request. A ProtocolError, thrown or rejected with, is a refusal counted under its code. */
export type Handler = (request: Request, requester: Requester) => Answer | Promise<Answer>;

/** Bytes; a leased frame; `no-answer`: the command has none, the connection goes on; null: refused, closed with no bytes. */
export type Answer = Uint8Array | LeasedFrame | 'no-answer' | null;

/** A frame in memory that must not change while it is written. */
export interface LeasedFrame {
  readonly frame: Uint8Array;
  /** Bytes of data in it, framing left out. */
  readonly payloadBytes: number;
  /** Bounds the rate at which it is written; null: at full speed. */
  readonly pace: UploadPace | null;
  /** Called exactly once: with true when the socket has taken the whole frame, with false when it never will. */
  release(sent: boolean): void;
}

/** Who asks: one for each connection. */
export interface Requester {
  /** Canonical: an IPv4-mapped address is the IPv4 one. */
  readonly ip: string;
  readonly port: number;
  readonly localIp: string;
  readonly localPort: number;
  /** Different for each connection of a listener. */
  readonly connectionId: number;
  readonly gone: Gone;
}

/** Tells a handler that its answer can no longer be sent. A half-closed connection is not gone. */
export interface Gone {
  readonly aborted: boolean;
  /** Calls back once, at once when it is so already; forgotten when no handler of the connection runs any more. */
  onAbort(callback: () => void): void;
}

/** A writer's place among those who wait to write. */
export interface PaceWait {
  /** Resolves when the bytes may be written, and when the place was given up. Never rejects. */
  readonly over: Promise<void>;
  /** Gives the place up: its bytes are not counted. Without effect once the wait is over. */
  cancel(): void;
}

/** Bounds the rate at which a leased frame is written, in slices. */
export interface UploadPace {
  /** What to wait for before `bytes` are written; null: nothing. */
  wait(bytes: number): PaceWait | null;
  /** The most bytes to write at once; infinite while there is no limit. */
  readonly slice: number;
}
