import { REVIEW_MS } from '../../src/policy/choker.js';
import type { Random } from './random.js';

/** What the simulation needs of a choker; the policy's Choker is one. Peers are numbers. */
export interface SlotPolicy {
  readonly holders: readonly number[];
  wants(peer: number, now: number): void;
  leaves(peer: number, now: number): void;
  gave(peer: number, bytes: number, now: number): void;
  took(peer: number, bytes: number, now: number): void;
  progress(peer: number, fraction: number): void;
  review(now: number, downloading: boolean): void;
}

/**
 * What tit for tat is compared with: every 10 s all slots go to random peers that want one; a slot that falls free
 * meanwhile, too.
 *
 * Invariant: at most `slots` peers hold one, each of which wants it.
 */
export class RandomChoker implements SlotPolicy {
  readonly #holders = new Set<number>();
  readonly #waiting: number[] = [];
  readonly #slots: number;
  readonly #random: Random;
  #reviewAt = Number.NEGATIVE_INFINITY;

  constructor(slots: number, random: Random) {
    this.#slots = slots;
    this.#random = random;
  }

  get holders(): number[] {
    return [...this.#holders];
  }

  wants(peer: number): void {
    if (!this.#holders.has(peer) && !this.#waiting.includes(peer)) this.#waiting.push(peer);
  }

  leaves(peer: number): void {
    this.#holders.delete(peer);
    const at = this.#waiting.indexOf(peer);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  gave(): void {}
  took(): void {}
  progress(): void {}

  review(now: number): void {
    if (now >= this.#reviewAt) {
      this.#reviewAt = now + REVIEW_MS;
      this.#waiting.push(...this.#holders);
      this.#holders.clear();
    }
    while (this.#holders.size < this.#slots && this.#waiting.length > 0) {
      const at = Math.floor(this.#random() * this.#waiting.length);
      this.#holders.add(this.#waiting[at]!);
      this.#waiting[at] = this.#waiting.at(-1)!;
      this.#waiting.pop();
    }
  }
}
