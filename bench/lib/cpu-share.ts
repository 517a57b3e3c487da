import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD_US = 10_000;
/** What the kernel takes at least for a period. */
const LEAST_QUOTA_US = 1_000;
/** Version 1 has a tree for each controller, version 2 one for all. */
const VERSION_1 = '/sys/fs/cgroup/cpu';
const VERSION_2 = '/sys/fs/cgroup';

/**
 * Processes that get a share of one processor each, and no more when others are idle: so few processors can show what
 * more would. Linux's control groups do it (cgroup v1 or v2), for root.
 *
 * Invariant: `#groups` are those that were made and not removed.
 */
export class CpuShares {
  readonly #quota: number;
  readonly #groups = new Set<string>();

  /** `share`: of one processor, from 0.1 to 1. */
  constructor(share: number) {
    this.#quota = Math.round(PERIOD_US * share);
    if (!(this.#quota >= LEAST_QUOTA_US && this.#quota <= PERIOD_US))
      throw new RangeError(`a share of a processor is from 0.1 to 1, not ${share}`);
  }

  /** From now on, all threads of the process together. Throws where there are no control groups, or no right to them. */
  limit(pid: number): void {
    if (this.#quota === PERIOD_US) return;
    const isFirst = existsSync(join(VERSION_1, 'cpu.shares'));
    const tree = isFirst ? VERSION_1 : VERSION_2;
    const group = join(tree, `bugtorrent-bench-${pid}`);
    if (!isFirst) writeFileSync(join(tree, 'cgroup.subtree_control'), '+cpu');
    mkdirSync(group);
    this.#groups.add(group);
    if (isFirst) {
      writeFileSync(join(group, 'cpu.cfs_period_us'), `${PERIOD_US}`);
      writeFileSync(join(group, 'cpu.cfs_quota_us'), `${this.#quota}`);
    } else writeFileSync(join(group, 'cpu.max'), `${this.#quota} ${PERIOD_US}`);
    writeFileSync(join(group, 'cgroup.procs'), `${pid}`);
  }

  /** After the processes have ended. */
  end(): void {
    for (const group of this.#groups) {
      rmdirSync(group);
      this.#groups.delete(group);
    }
  }
}
