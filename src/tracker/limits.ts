/** Every bound of the tracker, in one place. What is over a bound is refused and counted by reason. */

/** How much a store holds. */
export interface StoreLimits {
  readonly sessions: number;
  readonly files: number;
  /** Pairs of a session and a file of which it owns at least one part. */
  readonly ownerships: number;
  readonly ownershipsPerSession: number;
  /** Bytes of the part lists of incomplete owners. */
  readonly partListBytes: number;
}

export const STORE_LIMITS: StoreLimits = {
  sessions: 200_000,
  files: 1_000_000,
  ownerships: 10_000_000,
  ownershipsPerSession: 100_000,
  partListBytes: 512 * 1024 * 1024,
};

/** What one address may have; an IPv6 address counts with its /64. Infinity: no limit. */
export interface AddressLimits {
  /** At once. */
  readonly connections: number;
  /** Requests a second that were understood; above, reading from the address's connections pauses. */
  readonly requestRate: number;
  readonly sessions: number;
  /** Pairs of a session and a file of which it owns at least one part. */
  readonly files: number;
  /** Whether loopback's connections, sessions and files are limited too; its requests always are. */
  readonly limitsLoopback: boolean;
}

/** The defaults: room for a large network behind one address, not for all of the store. */
export const ADDRESS_LIMITS: AddressLimits = {
  connections: 1_000,
  requestRate: 20_000,
  sessions: 1_000,
  files: 200_000,
  limitsLoopback: false,
};

/** The largest #partdown and #partown: ten digits (PROTOCOL.md §1). */
export const MAX_PARTS_TOTAL = 9_999_999_999;

/** When and how sessions of dead peers are found. */
export interface KeepingLimits {
  /** A peer that has said nothing for so many milliseconds is probed. */
  readonly silenceMs: number;
  /** Milliseconds between two rounds; also between the two failed probes that end a session. */
  readonly roundMs: number;
  readonly probesAtOnce: number;
  /** Sessions looked at in one round, the longest silent first. */
  readonly sessionsPerRound: number;
}

export const KEEPING_LIMITS: KeepingLimits = {
  silenceMs: 15 * 60_000,
  roundMs: 60_000,
  probesAtOnce: 64,
  sessionsPerRound: 1_000,
};
