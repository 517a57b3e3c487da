/**
 * Bytes sent of the files that are sent most.
 *
 * Invariant: at most `size` files are members; a member's count is what was sent of it since it became one, `#other` is
 * all else, so each only grows while it is shown. What is remembered of others is bounded, too.
 */
import { counter } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

export const FILES = {
  bugtorrent_file_sent_bytes_total: counter(
    'Bytes of files that were sent, by MD5 for the files sent most since they belong to them (--metrics-files), all others as other',
    'file',
  ),
} as const;

const OTHER = 'other';
const REMEMBERED = 1_024;
/** A file takes the place of a member that was sent so much less: two alike shall not change places all the time. */
const LEAD = 1.25;

export class TopFiles {
  readonly #size: number;
  /** Bytes since the file became a member. */
  readonly #members = new Map<string, number>();
  /** Bytes in all of files sent lately, the latest last. */
  readonly #totals = new Map<string, number>();
  #other = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(md5: string, bytes: number): void {
    const total = (this.#totals.get(md5) ?? 0) + bytes;
    this.#remember(md5, total);
    if (!this.#members.has(md5) && !this.#admits(total)) {
      this.#other += bytes;
      return;
    }
    this.#members.set(md5, (this.#members.get(md5) ?? 0) + bytes);
  }

  stats(): ByLabel {
    return { ...Object.fromEntries(this.#members), [OTHER]: this.#other };
  }

  /** Makes room among the members for a file of which so much was sent, where it deserves a place. */
  #admits(total: number): boolean {
    if (this.#members.size < this.#size) return true;
    let least: { md5: string; total: number } | null = null;
    for (const md5 of this.#members.keys()) {
      const sent = this.#totals.get(md5) ?? 0;
      if (least === null || sent < least.total) least = { md5, total: sent };
    }
    if (least === null || total <= least.total * LEAD) return false;
    this.#members.delete(least.md5);
    return true;
  }

  #remember(md5: string, total: number): void {
    this.#totals.delete(md5);
    this.#totals.set(md5, total);
    if (this.#totals.size > REMEMBERED) this.#totals.delete(this.#totals.keys().next().value!);
  }
}

export function collectFiles(registry: MetricsRegistry, top: TopFiles): void {
  registry.family(FILES, () => ({ bugtorrent_file_sent_bytes_total: top.stats() }));
}
