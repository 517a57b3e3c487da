/**
 * Addresses that brought wrong tokens, and how long each has to wait.
 *
 * Invariant: at most MOST_ADDRESSES are remembered, those that were wrong last.
 */
import type { Clock } from '../core/clock.js';
import { canonicalIp, networkOf } from '../model/address.js';

/** A typing error, and programs with yesterday's token, cost nothing. */
const FREE = 10;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
const MOST_ADDRESSES = 10_000;

interface Guesser {
  readonly wrong: number;
  readonly until: number;
}

export class WrongTokens {
  readonly #clock: Clock;
  readonly #guessers = new Map<string, Guesser>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until tokens from the address are looked at again; 0: they are now. */
  wait(ip: string): number {
    const guesser = this.#guessers.get(keyOf(ip));
    return guesser === undefined ? 0 : Math.max(0, guesser.until - this.#clock.now());
  }

  wrong(ip: string): void {
    const key = keyOf(ip);
    const wrong = (this.#guessers.get(key)?.wrong ?? 0) + 1;
    const ms = wrong < FREE ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(wrong - FREE, 10));
    this.#guessers.delete(key);
    this.#guessers.set(key, { wrong, until: this.#clock.now() + ms });
    if (this.#guessers.size > MOST_ADDRESSES) this.#guessers.delete(this.#guessers.keys().next().value!);
  }

  right(ip: string): void {
    this.#guessers.delete(keyOf(ip));
  }
}

const keyOf = (ip: string): string => networkOf(canonicalIp(ip));
