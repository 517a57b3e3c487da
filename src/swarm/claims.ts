/**
 * The files for which one tracker may list this node as an owner (PROTOCOL.md §3, ADDR and RPAD).
 *
 * Invariant: a file is here while a request that makes this node an owner of it is under way, and, when the tracker
 * answered one in the current session or left it without an answer, until it has answered a DELR.
 */
import { OperationalError } from '../core/errors.js';
import type { FileMd5 } from '../model/ids.js';
import { TRACKER_REFUSED } from './tracker-trouble.js';

/** `perhaps`: a request was sent that got no answer. */
export type Listing = 'no' | 'perhaps' | 'yes';

interface Claim {
  underWay: number;
  listing: Listing;
}

export class Claims {
  readonly #claims = new Map<FileMd5, Claim>();
  readonly #quiet: () => void;

  /** @param quiet called each time that nothing is under way any more for some file */
  constructor(quiet: () => void) {
    this.#quiet = quiet;
  }

  /**
   * Makes a request that claims parts of these files, from now until it has ended.
   *
   * @param listed for which of them the tracker, as it answered, lists this node; for all when left out
   */
  async during<T>(
    files: readonly FileMd5[],
    request: () => Promise<T>,
    listed: (answer: T) => readonly FileMd5[] = () => files,
  ): Promise<T> {
    const claimed = new Set(files);
    for (const md5 of claimed) this.#claimOf(md5).underWay++;
    try {
      const answer = await request();
      for (const md5 of listed(answer)) this.#claimOf(md5).listing = 'yes';
      return answer;
    } catch (error) {
      if (!isRefused(error)) for (const md5 of claimed) this.#doubt(this.#claimOf(md5));
      throw error;
    } finally {
      for (const md5 of claimed) this.#end(md5);
    }
  }

  isUnderWay(md5: FileMd5): boolean {
    return (this.#claims.get(md5)?.underWay ?? 0) > 0;
  }

  listing(md5: FileMd5): Listing {
    return this.#claims.get(md5)?.listing ?? 'no';
  }

  /** The tracker lists this node for the file no more. */
  forget(md5: FileMd5): void {
    const claim = this.#claims.get(md5);
    if (claim === undefined) return;
    claim.listing = 'no';
    if (claim.underWay === 0) this.#claims.delete(md5);
  }

  /** A new session: the tracker lists this node for nothing. */
  forgetAll(): void {
    for (const md5 of [...this.#claims.keys()]) this.forget(md5);
  }

  #claimOf(md5: FileMd5): Claim {
    const claim = this.#claims.get(md5) ?? { underWay: 0, listing: 'no' };
    this.#claims.set(md5, claim);
    return claim;
  }

  #doubt(claim: Claim): void {
    if (claim.listing === 'no') claim.listing = 'perhaps';
  }

  #end(md5: FileMd5): void {
    const claim = this.#claimOf(md5);
    claim.underWay--;
    if (claim.underWay > 0) return;
    if (claim.listing === 'no') this.#claims.delete(md5);
    this.#quiet();
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof OperationalError && error.code === TRACKER_REFUSED;
}
