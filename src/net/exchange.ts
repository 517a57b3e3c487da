/** A request and the landing place of its answer. Its connection calls it; it never sees a socket. */
export interface Exchange {
  /** The whole request; it leaves in one write. */
  readonly request: Uint8Array;
  /** Milliseconds until the first byte of the answer, counted while it is this exchange's turn; 40,000 when left out. */
  readonly firstByteMs?: number | undefined;
  /** Milliseconds of silence inside the answer; 15,000 when left out. Paused time does not count. */
  readonly stallMs?: number | undefined;
  /**
   * Where the next bytes of the answer land; never empty, and never longer than what this answer still lacks, since
   * the next answer may follow at once. It is asked for right after each `land`, also one that paused: that buffer is
   * where the bytes after `resume()` land. The memory is in use until the answer is whole or `failed` is called.
   */
  buffer(): Uint8Array;
  /**
   * `bytes` bytes landed at the start of the last buffer. 'done' when the answer is whole; 'pause' stops reading until
   * `connection.resume()`. A ProtocolError thrown here ends the connection.
   */
  land(bytes: number, connection: Resumable): 'more' | 'pause' | 'done';
  /** The connection ended before the answer was whole. */
  failed(reason: ExchangeFailure): void;
}

/** What a paused exchange needs of its connection. */
export interface Resumable {
  resume(): void;
}

export interface ExchangeFailure {
  /**
   * `refused`: closed without a byte; `cut`: closed inside the answer; `reset`: the connection broke; `connect`: there
   * was none; `first-byte-timeout` and `stall`: silence; `protocol`: bytes that cannot be; `aborted`: our own wish.
   */
  readonly kind:
    | 'refused'
    | 'cut'
    | 'reset'
    | 'connect'
    | 'first-byte-timeout'
    | 'stall'
    | 'protocol'
    | 'aborted';
  /** At least one byte of the answer had come. */
  readonly begun: boolean;
  /** With a `code`: a ProtocolError's or the system's. */
  readonly error?: NodeJS.ErrnoException;
}
