import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD_US = 10_000;
/** Version 1 has a tree for each controller, version 2 one for all. */
const VERSION_1 = '/sys/fs/cgroup/cpu';
const VERSION_2 = '/sys/fs/cgroup';

/**
 * Processes that get a share of one processor each, and no more when others are idle: so few processors can show what
 * more would. Linux's control groups do it (cgroup v1 or v2), for root. A share ends with its process; `end` removes what is left.
 */
export class CpuShares {
  readonly #share: number;
  readonly #groups: string[] = [];

  /** `share`: of one processor, above 0 and at most 1. */
  constructor(share: number) {
    this.#share = share;
  }

  /** From now on, all threads of the process together. Throws where there are no control groups, or no right to them. */
  limit(pid: number): void {
    const isFirst = existsSync(join(VERSION_1, 'cpu.shares'));
    const tree = isFirst ? VERSION_1 : VERSION_2;
    const group = join(tree, `bugtorrent-bench-${pid}`);
    const quota = `${Math.round(PERIOD_US * this.#share)}`;
    if (!isFirst) writeFileSync(join(tree, 'cgroup.subtree_control'), '+cpu');
    mkdirSync(group);
    this.#groups.push(group);
    if (isFirst) {
      writeFileSync(join(group, 'cpu.cfs_period_us'), `${PERIOD_US}`);
      writeFileSync(join(group, 'cpu.cfs_quota_us'), quota);
    } else writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD_US}`);
    writeFileSync(join(group, 'cgroup.procs'), `${pid}`);
  }

  /** After the processes have ended. */
  end(): void {
    for (const group of this.#groups.splice(0)) rmdirSync(group);
  }
}
