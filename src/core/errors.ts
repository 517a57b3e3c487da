/**
 * The four families of errors, by what the catcher does: drop the peer (protocol), retry or tell
 * (operational), tell the user (usage), crash loudly (invariant).
 */
export abstract class BugTorrentError extends Error {
  /** Stable, machine-readable reason; counters and tests use it, never the message. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** The other node broke the protocol: its connection ends, nothing else does. */
export class ProtocolError extends BugTorrentError {}

/** What an operational error is about; the command line maps each to an exit code. */
export type Trouble =
  | 'not-found'
  | 'network'
  | 'verification'
  | 'disk'
  | 'stalled'
  | 'interrupted'
  | 'set-up';

/** The world is not as needed (disk full, nobody answers). The message says what happened and what to do. */
export class OperationalError extends BugTorrentError {
  readonly trouble: Trouble;

  constructor(trouble: Trouble, code: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.trouble = trouble;
  }
}

/** The user asked for something that cannot be. The message says what to type instead. */
export class UsageError extends BugTorrentError {}

/** A bug of ours. Never caught to go on. */
export class InvariantError extends BugTorrentError {
  constructor(message: string) {
    super('INVARIANT', message);
  }
}

/** Asserts an invariant; `message` says which one broke. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
