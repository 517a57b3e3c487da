import type { Command } from '../protocol/messages.js';
import { REQUEST_LENGTH } from '../protocol/requests.js';
import { NOT_ADMITTED } from './admission.js';

/** Ends that are in order. */
const ORDINARY_ENDS = ['ended', 'idle', 'reset', 'stopped', 'write-stall'] as const;

/** Why connections are closed for a reason of ours. In capitals: what a ProtocolError says. */
export const REFUSED = [
  ...NOT_ADMITTED,
  ...(['too-many-connections', 'made-room', 'expelled'] as const),
  ...(['first-byte-timeout', 'request-timeout', 'cut-request'] as const),
  ...(['UNKNOWN_COMMAND', 'MALFORMED', 'refused', 'handler-error'] as const),
] as const;

export type Refused = (typeof REFUSED)[number];

/** Why a connection is over. */
export type End = (typeof ORDINARY_ENDS)[number] | Refused;

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

  over(reason: End): void {
    const by = (ORDINARY_ENDS as readonly End[]).includes(reason) ? this.closed : this.refused;
    by[reason] = (by[reason] ?? 0) + 1;
  }
}
