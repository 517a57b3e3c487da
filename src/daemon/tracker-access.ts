/**
 * Whom one tracker serves, and which files it lists: the lists as last read without an error, and the limits of each
 * address.
 *
 * Invariant: readings follow each other, and while the store cannot be cleared of what the lists leave out, it is tried
 * again; after `stop` neither happens.
 */
import type { Clock, Timer } from '../core/clock.js';
import { OperationalError, UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { isLoopback, networkOf } from '../model/address.js';
import type { FileMd5 } from '../model/ids.js';
import type { Admission } from '../net/admission.js';
import { type AccessLists, OPEN_ACCESS } from '../policy/access-lists.js';
import { AddressTable } from '../policy/address-table.js';
import { type Access, removeDenied } from '../tracker/access.js';
import type { AccountTerms } from '../tracker/accounts.js';
import type { AddressLimits } from '../tracker/limits.js';
import type { TrackerStore } from '../tracker/store.js';
import { type AccessFiles, readAccessLists } from './access-files.js';

const AGAIN_MS = 10_000;

export interface TrackerAccessInit {
  readonly files: AccessFiles;
  readonly limits: AddressLimits;
  readonly store: TrackerStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Other lists hold: connections that they do not admit are to be closed. */
  readonly changed: () => void;
}

/** Plain numbers since the start, and what there is now. */
export interface AccessStats {
  /** Whose connections and requests are counted now. */
  readonly addresses: number;
  readonly reloads: number;
  readonly reloadsFailed: number;
  readonly sessionsRemoved: number;
  readonly filesRemoved: number;
}

export class TrackerAccess implements Access {
  readonly #init: TrackerAccessInit;
  readonly #table: AddressTable;
  #lists: AccessLists = OPEN_ACCESS;
  #work: Promise<void> = Promise.resolve();
  #again: Timer | null = null;
  #stopped = false;
  #reloads = 0;
  #reloadsFailed = 0;
  #sessionsRemoved = 0;
  #filesRemoved = 0;

  constructor(init: TrackerAccessInit) {
    this.#init = init;
    this.#table = new AddressTable(init.limits);
  }

  readonly admission: Admission = (ip) => {
    if (!this.#lists.admitsAddress(ip)) return 'denied-network';
    return this.#table.enter(ip, this.#init.clock.now()) ?? 'too-many-of-address';
  };

  admitsAddress(ip: string): boolean {
    return this.#lists.admitsAddress(ip);
  }

  admitsFile(md5: FileMd5): boolean {
    return this.#lists.admitsFile(md5);
  }

  termsOf(ip: string): AccountTerms | undefined {
    const { sessions, files, limitsLoopback } = this.#init.limits;
    if (isLoopback(ip) && !limitsLoopback) return undefined;
    return { network: networkOf(ip), sessions, ownerships: files };
  }

  /** Reads the lists for the first time. Throws as `readAccessLists`. */
  async load(): Promise<void> {
    this.#lists = await readAccessLists(this.#init.files);
  }

  /** Reads the lists again; bad ones leave all as it is, and the log says why. Resolves when the new ones hold. */
  reload(): Promise<void> {
    this.#work = this.#work.then(() => this.#reload());
    return this.#work;
  }

  /** Clears the store of what the lists leave out, now or when it is back. */
  clearStore(): Promise<void> {
    this.#work = this.#work.then(() => this.#clearStore());
    return this.#work;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#again?.cancel();
    await this.#work;
  }

  stats(): AccessStats {
    return {
      addresses: this.#table.size,
      reloads: this.#reloads,
      reloadsFailed: this.#reloadsFailed,
      sessionsRemoved: this.#sessionsRemoved,
      filesRemoved: this.#filesRemoved,
    };
  }

  async #reload(): Promise<void> {
    if (this.#stopped) return;
    try {
      this.#lists = await readAccessLists(this.#init.files);
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof OperationalError)) throw error;
      this.#reloadsFailed += 1;
      this.#init.logger.error(
        { reason: error.message },
        'the access lists were not taken over: the old ones hold',
      );
      return;
    }
    this.#reloads += 1;
    this.#init.changed();
    await this.#clearStore();
  }

  async #clearStore(): Promise<void> {
    if (this.#stopped) return;
    const { store, clock, logger } = this.#init;
    this.#again?.cancel();
    try {
      const { sessions, files } = await removeDenied(store, this.#lists);
      this.#sessionsRemoved += sessions;
      this.#filesRemoved += files;
      logger.info({ sessions, files }, 'the access lists hold; what they leave out is removed');
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      logger.warn({ reason: error.message }, 'what the access lists leave out could not be removed yet');
      if (!this.#stopped) this.#again = clock.after(AGAIN_MS, () => void this.clearStore());
    }
  }
}
