/** One connection's share in what its address may do. */
export interface Visit {
  /** Counts requests that were started (0 only asks); milliseconds for which the address reads nothing more, 0: none. */
  take(requests: number, now: number): number;
  /** The connection is over. */
  leave(now: number): void;
}

/** Why a connection is closed as soon as it was accepted; each has a counter. */
export const NOT_ADMITTED = ['denied-network', 'too-many-of-address'] as const;

type NotAdmitted = (typeof NOT_ADMITTED)[number];

/** Whom a listener lets in, by address in canonical form. */
export type Admission = (ip: string) => Visit | NotAdmitted;
