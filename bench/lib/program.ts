import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Where the children of one benchmark or test keep their files; nothing of the user's reaches them. */
export class Program {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts `bugtorrent ARGS`, built beside this file; `name` tells its counters from those of others. */
  start(name: string, args: readonly string[]): Promise<Child> {
    return this.startScript(name, MAIN, args);
  }

  /** Starts another script of ours under the same conditions. */
  startScript(name: string, script: string, args: readonly string[]): Promise<Child> {
    const env = { ...this.#environment(), BUGTORRENT_STATS: this.#statsFile(name) };
    return Child.start(name, process.execPath, [script, ...args], { env, cwd: this.#folder });
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
    return { ...Object.fromEntries(kept), HOME: this.#folder, NO_COLOR: '1' };
  }
}
