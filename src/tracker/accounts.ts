/**
 * What the sessions of one address hold together in a store.
 *
 * Invariant: an account is in `#accounts` while it has a session.
 */

/** Whose sessions are counted together, and how much they may hold. */
export interface AccountTerms {
  /** An IPv4 address, or the /64 of an IPv6 one. */
  readonly network: string;
  readonly sessions: number;
  /** Pairs of a session and a file of which it owns at least one part. */
  readonly ownerships: number;
}

export interface Account {
  readonly network: string;
  readonly mostOwnerships: number;
  sessions: number;
  /** Kept by the store. */
  ownerships: number;
}

export class Accounts {
  readonly #accounts = new Map<string, Account>();

  /** One more session; null when that would be too many. The terms of the account's first session hold for all. */
  join({ network, sessions, ownerships }: AccountTerms): Account | null {
    const account = this.#accounts.get(network) ?? {
      network,
      mostOwnerships: ownerships,
      sessions: 0,
      ownerships: 0,
    };
    if (account.sessions >= sessions) return null;
    account.sessions += 1;
    this.#accounts.set(network, account);
    return account;
  }

  /** A session is over; it holds nothing any more. */
  leave(account: Account): void {
    account.sessions -= 1;
    if (account.sessions === 0) this.#accounts.delete(account.network);
  }
}
