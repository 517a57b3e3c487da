/**
 * Parts kept framed in the slab, least recently used first to go, and the queue of those who wait for slab memory.
 *
 * Invariant: the cache holds one hold on each slot in it. Making room only ever drops slots nobody else holds; a slot
 * being written to a socket stays until its last lease ends. Waiters are served in order.
 */
import { LRUCache } from 'lru-cache';
import type { Slab, Slot } from '../compute/slab.js';

interface Waiter {
  readonly bytes: number;
  readonly ready: (slot: Slot) => void;
}

export class PartCache {
  readonly #slab: Slab;
  readonly #parts: LRUCache<string, Slot>;
  readonly #waiters = new Set<Waiter>();
  /** Those who can give up holds elsewhere, see `onPressure`. */
  readonly #givers = new Set<() => boolean>();
  #serving = false;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #waits = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
    this.#parts = new LRUCache<string, Slot>({
      maxSize: slab.capacity,
      sizeCalculation: (slot) => slot.length,
      dispose: (slot) => slot.release(),
    });
    slab.onRelease = () => this.#serveWaiters();
  }

  /** The slot of a cached part with a hold for the caller, or null. */
  take(key: string): Slot | null {
    const slot = this.#parts.get(key);
    if (slot === undefined) {
      this.#misses++;
      return null;
    }
    this.#hits++;
    return slot.retain();
  }

  /** Caches a filled slot; the cache takes a hold of its own. */
  keep(key: string, slot: Slot): void {
    this.#parts.set(key, slot.retain());
  }

  /** Drops every cached part whose key begins with `prefix` (a file's id). */
  forget(prefix: string): void {
    for (const key of [...this.#parts.keys()]) if (key.startsWith(prefix)) this.#parts.delete(key);
  }

  /** How many wait for memory. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** A slot of at least `bytes`, dropping cached parts for it; null when all memory is in use or others wait already. */
  acquire(bytes: number): Slot | null {
    return this.#waiters.size > 0 ? null : this.#acquire(bytes);
  }

  /** As acquire, but waits its turn. `cancel` gives the place up; it has no effect once `ready` was called. */
  acquireLater(bytes: number, ready: (slot: Slot) => void): { cancel(): void } {
    const waiter: Waiter = { bytes, ready };
    this.#waiters.add(waiter);
    this.#waits++;
    return { cancel: () => this.#waiters.delete(waiter) && this.#serveWaiters() };
  }

  /**
   * `giveUp` is asked when nothing cached can go: it gives up one hold (a part kept hot for hashing), or says false when it
   * has none. Until `cancel`.
   */
  onPressure(giveUp: () => boolean): { cancel(): void } {
    this.#givers.add(giveUp);
    return { cancel: () => this.#givers.delete(giveUp) };
  }

  /** Something that can be given up under pressure has appeared: those who wait for memory may try again. */
  relieve(): void {
    this.#serveWaiters();
  }

  /** Gives every cached part back. */
  clear(): void {
    this.#waiters.clear();
    this.#parts.clear();
  }

  stats() {
    return {
      parts: this.#parts.size,
      bytes: this.#parts.calculatedSize,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      waits: this.#waits,
      waiting: this.#waiters.size,
      slab: this.#slab.stats(),
    };
  }

  #acquire(bytes: number): Slot | null {
    for (;;) {
      const slot = this.#slab.acquire(bytes);
      if (slot !== null) return slot;
      if (!this.#evictOne() && !this.#giveUpOne()) return null;
    }
  }

  #evictOne(): boolean {
    for (const key of this.#parts.rkeys()) {
      if (this.#parts.peek(key)!.shared) continue;
      this.#evictions++;
      return this.#parts.delete(key);
    }
    return false;
  }

  #giveUpOne(): boolean {
    for (const giveUp of this.#givers) if (giveUp()) return true;
    return false;
  }

  /** Not re-entrant: evicting for the first waiter releases slots, which calls this again. */
  #serveWaiters(): void {
    if (this.#serving) return;
    this.#serving = true;
    for (const waiter of this.#waiters) {
      const slot = this.#acquire(waiter.bytes);
      if (slot === null) break;
      this.#waiters.delete(waiter);
      waiter.ready(slot);
    }
    this.#serving = false;
  }
}
