/**
 * The limits of the config file, kept to by a node that runs: applied at its start, and again at each SIGHUP, which without
 * such a file does nothing.
 *
 * Invariant: what the node keeps to is what the file said when it was last read without an error. Readings follow each
 * other; of those asked for meanwhile one is made.
 */
import type { Adjustable, Limits } from '../daemon/adjustable.js';
import type { FileMd5 } from '../model/ids.js';
import { onHangUp } from './hang-up.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { formatRate } from './quantity.js';

const NO_LIMITS: Limits = { upload: null, download: null };

/** What the file may change. */
interface Followed {
  readonly settings: {
    readonly 'upload-limit': number | null;
    readonly 'download-limit': number | null;
    readonly slots?: number;
  };
  readonly files: ReadonlyMap<FileMd5, Limits>;
}

/** The part of an invocation that following the file takes. */
export interface Following
  extends Followed,
    Pick<Invocation<'daemon' | 'start' | 'share' | 'get'>, 'output' | 'env' | 'stop'> {
  readonly configureAgain: (() => Promise<Followed>) | null;
}

export class ConfigFollower {
  readonly #following: Following;
  readonly #node: Adjustable;
  #now: Followed;
  #reading = false;
  #again = false;
  #isStopped = false;
  readonly #deaf: () => void;

  /** Begins to follow. */
  constructor(following: Following, node: Adjustable) {
    this.#following = following;
    this.#node = node;
    this.#now = following;
    for (const [md5, limits] of following.files) node.setFileLimits(md5, limits);
    this.#deaf = onHangUp(following.stop, () => void this.#read());
  }

  /** What is being read does not count any more: a node that stops has ended its limits. */
  stop(): void {
    this.#isStopped = true;
    this.#deaf();
  }

  async #read(): Promise<void> {
    const { output, env, configureAgain } = this.#following;
    if (configureAgain === null) return;
    this.#again = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    const logger = await openLogger(output, env, 'info');
    try {
      const next = await configureAgain();
      if (this.#isStopped) return;
      const changes = this.#apply(next);
      logger.info(
        { changes },
        changes.length > 0 ? 'config file read again' : 'config file read again: no limit changed',
      );
    } catch (error) {
      logger.error(
        { reason: error instanceof Error ? error.message : String(error) },
        'the config file was not taken over: all limits stay as they were',
      );
    }
    this.#reading = false;
    if (this.#again && !this.#isStopped) void this.#read();
  }

  /** What changed, in words. */
  #apply(next: Followed): string[] {
    const { settings: old, files } = this.#now;
    const { settings } = next;
    this.#now = next;
    const changes: string[] = [];
    for (const name of ['upload-limit', 'download-limit'] as const) {
      if (settings[name] !== old[name])
        changes.push(`${name}: ${rateText(old[name])} -> ${rateText(settings[name])}`);
    }
    this.#node.setLimits({ upload: settings['upload-limit'], download: settings['download-limit'] });
    if (settings.slots !== undefined && settings.slots !== old.slots) {
      changes.push(`slots: ${old.slots} -> ${settings.slots}`);
      this.#node.setSlots(settings.slots);
    }
    return [...changes, ...this.#applyToFiles(files, next.files)];
  }

  #applyToFiles(before: ReadonlyMap<FileMd5, Limits>, next: ReadonlyMap<FileMd5, Limits>): string[] {
    const changes: string[] = [];
    for (const md5 of new Set([...before.keys(), ...next.keys()])) {
      const [old, limits] = [before.get(md5) ?? NO_LIMITS, next.get(md5) ?? NO_LIMITS];
      for (const direction of ['upload', 'download'] as const) {
        if (old[direction] === limits[direction]) continue;
        changes.push(
          `${direction}-limit of ${md5}: ${rateText(old[direction])} -> ${rateText(limits[direction])}`,
        );
      }
      this.#node.setFileLimits(md5, limits);
    }
    return changes;
  }
}

function rateText(rate: number | null): string {
  return rate === null ? 'none' : formatRate(rate);
}
