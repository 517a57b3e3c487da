import type { Command } from '../protocol/messages.js';
import { REQUEST_LENGTH } from '../protocol/requests.js';

/** Ends that are in order; every other reason is a refusal. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set(['ended', 'idle', 'reset', 'stopped', 'write-stall']);

/** Plain numbers since the start. Each accepted connection is counted once in `refused` or `closed` when it is over. */
export class ListenerCounts {
  accepted = 0;
  /** Pauses in reading from a connection because its address asked too much. */
  slowed = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Payload bytes of frames sent whole. */
  payloadOut = 0;
  /** All else that left whole: the framing of such frames, and other answers. */
  overheadOut = 0;
  readonly requests = Object.fromEntries(
    Object.keys(REQUEST_LENGTH).map((command) => [command, 0]),
  ) as Record<Command, number>;
  readonly refused: Record<string, number> = {};
  readonly closed: Record<string, number> = {};

  over(reason: string): void {
    const by = ORDINARY_ENDS.has(reason) ? this.closed : this.refused;
    by[reason] = (by[reason] ?? 0) + 1;
  }
}
