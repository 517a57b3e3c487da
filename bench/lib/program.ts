import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, type ChildOptions } from './child.js';

const MAIN = fileURLToPath(new URL('../../bundle/cli/main.js', import.meta.url));
const LISTENS_WITHIN_MS = 20_000;

/** Where the children of one benchmark or test keep their files; nothing of the user's reaches them. */
export class Program {
  readonly #folder: string;
  readonly #user: Pick<ChildOptions, 'uid' | 'gid'>;

  /** `user`: whom the children run as, when it is not the one who starts them. */
  constructor(folder: string, user: Pick<ChildOptions, 'uid' | 'gid'> = {}) {
    this.#folder = folder;
    this.#user = user;
  }

  /** Starts `bugtorrent ARGS`, built beside this file; `name` tells its counters from those of others. */
  start(name: string, args: readonly string[]): Promise<Child> {
    return this.startScript(name, MAIN, args);
  }

  /** Starts another script of ours under the same conditions. */
  startScript(name: string, script: string, args: readonly string[]): Promise<Child> {
    const env = { ...this.#environment(), BUGTORRENT_STATS: this.#statsFile(name) };
    return Child.start(name, process.execPath, [script, ...args], { env, cwd: this.#folder, ...this.#user });
  }

  /** Starts a tracker without a state on disk on a free loopback port; `at` is its HOST:PORT, `flags` further ones. */
  async startTracker(...flags: string[]): Promise<{ tracker: Child; at: string }> {
    const tracker = await this.start('tracker', [
      'tracker',
      '--listen',
      '127.0.0.1:0',
      '--store',
      'memory:',
      ...flags,
    ]);
    const listens = (line: string) => line.match(/listening on (\S+)/)?.[1];
    return { tracker, at: await tracker.line(listens, LISTENS_WITHIN_MS) };
  }

  /** The last `stats()` snapshot that a child which has ended left behind; null when it left none. */
  stats(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.#statsFile(name), 'utf8'));
    } catch {
      return null;
    }
  }

  #statsFile(name: string): string {
    return join(this.#folder, `${name}.stats.json`);
  }

  #environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) => !/^(BUGTORRENT_|XDG_|NODE_TEST)/.test(name));
    return { ...Object.fromEntries(kept), HOME: this.#folder, TMPDIR: this.#folder, NO_COLOR: '1' };
  }
}
