/**
 * The downloads of a daemon: which there are, in what order they run, kept across restarts.
 *
 * Invariant: at most `active` transfers run at once, those of higher priority first, of equal priority the one added
 * first; a transfer that was paused or failed does not hold a place, and one of lower priority gives its up. The file on disk follows every change of the list.
 * A transfer leaves the list when it is complete or removed, and only then.
 */
import type { Clock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { FileMd5 } from '../model/ids.js';
import type { Magnet } from '../model/magnet.js';
import type { SwarmCounts } from '../swarm/swarm-counts.js';
import type { ServedFile } from '../swarm/upload.js';
import type { Engine } from './engine.js';
import type { PeerNode } from './peer-node.js';
import { type CompletedFile, Transfer, type TransferState } from './transfer.js';
import { PRIORITIES, type Priority, type TransfersFile } from './transfers-file.js';

const MAX_TRANSFERS = 10_000;

export interface TransfersInit {
  /** Where finished files go; null: nothing can be added. */
  readonly folder: string | null;
  /** null: the list is forgotten at the end. */
  readonly file: TransfersFile | null;
  /** How many run at once. */
  readonly active: number;
  /** What all of them do is counted there. */
  readonly counts: SwarmCounts;
  readonly node: PeerNode;
  readonly engine: Engine;
  /** Whether the file is shared already. */
  readonly isShared: (md5: FileMd5) => boolean;
  /** A file is complete: it is to be shared from where it is. */
  readonly completed: (file: CompletedFile) => Promise<void>;
  /** A download is new, gone, or another than it was. */
  readonly changed: (md5: FileMd5) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AddOptions {
  readonly paused?: boolean | undefined;
  readonly sequential?: boolean | undefined;
  readonly priority?: Priority | undefined;
}

interface Listed {
  readonly transfer: Transfer;
  priority: Priority;
}

export class Transfers {
  readonly #init: TransfersInit;
  readonly #listed = new Map<FileMd5, Listed>();
  /** It is being halted to make room. */
  #yielding: Transfer | null = null;
  #isStopped = false;

  constructor(init: TransfersInit) {
    this.#init = init;
  }

  /** Takes up what an earlier run left. Throws as TransfersFile.read. */
  async start(): Promise<void> {
    const { file, folder, logger } = this.#init;
    const kept = (await file?.read()) ?? [];
    if (kept.length > 0 && folder === null)
      logger.warn({ downloads: kept.length }, 'downloads wait: there is no --downloads folder for them');
    if (folder === null) return;
    for (const { magnet, ...options } of kept) {
      if (this.#init.isShared(magnet.md5)) continue;
      this.#list(magnet, options);
      this.#init.changed(magnet.md5);
    }
    this.#fill();
  }

  /**
   * Adds a download. Throws UsageError 'NO_DOWNLOADS_FOLDER', 'ALREADY_SHARED', 'ALREADY_ADDED' or 'TOO_MANY_DOWNLOADS',
   * OperationalError 'disk' when the list cannot be written.
   */
  async add(magnet: Magnet, options: AddOptions = {}): Promise<Transfer> {
    const { folder, isShared } = this.#init;
    if (folder === null) {
      const remedy = 'start the daemon with --downloads DIR';
      throw new UsageError('NO_DOWNLOADS_FOLDER', `there is no folder for downloads: ${remedy}`);
    }
    if (isShared(magnet.md5))
      throw new UsageError('ALREADY_SHARED', `${magnet.md5} is here and shared already`);
    if (this.#listed.has(magnet.md5))
      throw new UsageError('ALREADY_ADDED', `${magnet.md5} was added already`);
    if (this.#listed.size >= MAX_TRANSFERS)
      throw new UsageError('TOO_MANY_DOWNLOADS', `there are ${MAX_TRANSFERS} downloads already: remove some`);
    const { transfer } = this.#list(magnet, options);
    try {
      await this.#keep();
    } catch (error) {
      this.#listed.delete(magnet.md5);
      // A place that became free meanwhile may have started it.
      await transfer.halt('paused');
      throw error;
    }
    this.#init.changed(magnet.md5);
    this.#fill();
    return transfer;
  }

  find(md5: FileMd5): { readonly transfer: Transfer; readonly priority: Priority } | null {
    return this.#listed.get(md5) ?? null;
  }

  /** In the order in which they were added. */
  list(): Iterable<{ readonly transfer: Transfer; readonly priority: Priority }> {
    return this.#listed.values();
  }

  get size(): number {
    return this.#listed.size;
  }

  /** What can be uploaded of a file that is on its way. */
  served(md5: FileMd5): ServedFile | null {
    return this.#listed.get(md5)?.transfer.served ?? null;
  }

  /** Each of these is false when there is no such transfer. */
  async pause(md5: FileMd5): Promise<boolean> {
    const listed = this.#listed.get(md5);
    if (listed === undefined) return false;
    await listed.transfer.halt('paused');
    await this.#keep();
    return true;
  }

  async resume(md5: FileMd5): Promise<boolean> {
    const listed = this.#listed.get(md5);
    if (listed === undefined) return false;
    const { state } = listed.transfer;
    if (state === 'paused' || state === 'failed') await listed.transfer.halt('queued');
    await this.#keep();
    return true;
  }

  async prioritise(md5: FileMd5, priority: Priority): Promise<boolean> {
    const listed = this.#listed.get(md5);
    if (listed === undefined) return false;
    listed.priority = priority;
    this.#init.changed(md5);
    await this.#keep();
    this.#fill();
    return true;
  }

  /** Whether parts come mostly in the order of the file. */
  async order(md5: FileMd5, sequential: boolean): Promise<boolean> {
    const listed = this.#listed.get(md5);
    if (listed === undefined) return false;
    const { transfer } = listed;
    if (transfer.sequential === sequential) return true;
    transfer.sequential = sequential;
    // The order is that of an attempt: one under way is begun again, with what it has stored.
    if (isRunning(transfer)) await transfer.halt('queued');
    await this.#keep();
    return true;
  }

  /** With `data`, what is stored of it goes, too. */
  async remove(md5: FileMd5, data: boolean): Promise<boolean> {
    const listed = this.#listed.get(md5);
    if (listed === undefined) return false;
    await listed.transfer.halt('paused');
    // Before its data goes, so that nobody resumes it meanwhile.
    this.#listed.delete(md5);
    this.#init.changed(md5);
    this.#fill();
    await this.#keep();
    if (data) await listed.transfer.discard();
    return true;
  }

  /** How many there are by state. */
  stats(): Readonly<Record<TransferState, number>> {
    const counts = { queued: 0, searching: 0, downloading: 0, waiting: 0, paused: 0, failed: 0 };
    for (const { transfer } of this.#listed.values()) counts[transfer.state]++;
    return counts;
  }

  /** Ends all that is under way; the list stays for the next run, and nothing is written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#listed.values()].map(({ transfer }) => transfer.stop()));
    await this.#init.file?.written();
  }

  #list(magnet: Magnet, { paused = false, sequential = false, priority = 'normal' }: AddOptions): Listed {
    const { folder, counts, node, engine, clock, logger } = this.#init;
    const transfer = new Transfer({
      magnet,
      paused,
      sequential,
      folder: folder!,
      counts,
      node,
      engine,
      clock,
      logger,
      completed: (file) => this.#completed(file),
      changed: () => this.#changed(magnet.md5),
    });
    const listed = { transfer, priority };
    this.#listed.set(magnet.md5, listed);
    node.trackers.join(magnet.trackers);
    return listed;
  }

  async #completed(file: CompletedFile): Promise<void> {
    await this.#init.completed(file);
    this.#listed.delete(file.manifest.md5);
    this.#init.changed(file.manifest.md5);
    await this.#keep();
    this.#fill();
  }

  #changed(md5: FileMd5): void {
    this.#init.changed(md5);
    this.#fill();
    this.#keep().catch((error: unknown) =>
      this.#init.logger.warn({ error }, 'the list of downloads was not written'),
    );
  }

  /** Starts what may run now. */
  #fill(): void {
    if (this.#isStopped) return;
    const all = [...this.#listed.values()];
    let places = this.#init.active - all.filter(({ transfer }) => isRunning(transfer)).length;
    for (const wanted of PRIORITIES) {
      for (const { transfer, priority } of all) {
        if (priority !== wanted || transfer.state !== 'queued') continue;
        if (places <= 0) {
          this.#makeRoom(wanted);
          return;
        }
        places--;
        transfer.start();
      }
    }
  }

  /** The one of the lowest priority that was added last waits, when one of higher priority does. */
  #makeRoom(priority: Priority): void {
    if (this.#yielding !== null) return;
    const running = [...this.#listed.values()].filter(({ transfer }) => isRunning(transfer));
    const rank = (each: Priority) => PRIORITIES.indexOf(each);
    const last = running.reduce<Listed | null>(
      (lowest, each) => (lowest === null || rank(each.priority) >= rank(lowest.priority) ? each : lowest),
      null,
    );
    if (last === null || rank(last.priority) <= rank(priority)) return;
    this.#yielding = last.transfer;
    void last.transfer.halt('queued').finally(() => {
      this.#yielding = null;
      this.#fill();
    });
  }

  #keep(): Promise<void> {
    const kept = [...this.#listed.values()].map(({ transfer, priority }) => ({
      magnet: transfer.magnet,
      priority,
      paused: transfer.state === 'paused',
      sequential: transfer.sequential,
    }));
    return this.#init.file?.write(kept) ?? Promise.resolve();
  }
}

/** Whether it holds one of the places. One that waits for owners to come does not. */
function isRunning({ state }: Transfer): boolean {
  return state === 'searching' || state === 'downloading';
}
