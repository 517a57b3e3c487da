/** Why a request was refused; each has a counter in `Tracker.stats()`. */
export const REFUSALS = [
  /** Not a command that a tracker answers. */
  'UNKNOWN_COMMAND',
  'UNKNOWN_SESSION',
  'UNKNOWN_FILE',
  'PART_OUT_OF_RANGE',
  /** LenFile or LenPart outside the ranges of PROTOCOL.md §1. */
  'GEOMETRY',
  /** ADDR of a known Filemd5 with another LenFile. */
  'OTHER_SIZE',
  /** Neither half of the announced address is the connection's own source. */
  'FOREIGN_ADDRESS',
  /** Both halves of the announced address are zeros. */
  'NO_ADDRESS',
  /** A half of the announced address can be no single host's, or the port is 0. */
  'UNUSABLE_ADDRESS',
  /** A proven half of the announced address is in a network that is not admitted. */
  'DENIED_NETWORK',
  'DENIED_FILE',
  /** The random SessionID belongs to another session; the client logs in again. */
  'SESSION_ID_TAKEN',
  'SESSIONS_FULL',
  'FILES_FULL',
  'OWNERSHIPS_FULL',
  'SESSION_OWNERSHIPS_FULL',
  'PART_LISTS_FULL',
  /** The sessions of one address (IPv6: of its /64) are too many, or own too many files together. */
  'ADDRESS_SESSIONS_FULL',
  'ADDRESS_FILES_FULL',
  /** What the store stands on cannot be reached. */
  'STORE_AWAY',
] as const;

export type Refusal = (typeof REFUSALS)[number];
