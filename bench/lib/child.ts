import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Lines } from './lines.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Wall clock from just before the start to the exit. */
  readonly seconds: number;
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The user and group to run as; only root may choose. */
  readonly uid?: number;
  readonly gid?: number;
}

const alive = new Set<Child>();

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/**
 * A process we started, with its lines.
 *
 * Invariant: it leads its own process group and is in `alive` until its exit was seen; when this process
 * exits, for whatever reason, every group in `alive` is killed.
 */
export class Child {
  readonly pid: number;
  readonly stdout: Lines;
  readonly stderr: Lines;
  /** Settles once it has exited and its last line was read. */
  readonly exited: Promise<Exit>;
  readonly #name: string;
  readonly #process: ChildProcess;

  private constructor(name: string, child: ChildProcess, started: bigint) {
    this.#name = name;
    this.#process = child;
    this.pid = child.pid!;
    this.stdout = new Lines(child.stdout!);
    this.stderr = new Lines(child.stderr!);
    alive.add(this);
    this.exited = new Promise((resolve) => {
      let seconds = 0;
      child.once('exit', () => {
        seconds = Number(process.hrtime.bigint() - started) / 1e9;
        alive.delete(this);
      });
      child.once('close', (code, signal) => resolve({ code, signal, seconds }));
    });
  }

  /** Starts `command`, called `name` in messages; throws when it cannot be run. */
  static async start(
    name: string,
    command: string,
    args: readonly string[],
    options: ChildOptions = {},
  ): Promise<Child> {
    const started = process.hrtime.bigint();
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    return new Child(name, child, started);
  }

  /** Its exit; throws, with what it printed last, when that takes longer than `timeoutMs`. */
  async exit(timeoutMs: number): Promise<Exit> {
    return (await this.#exitWithin(timeoutMs)) ?? this.fail(`did not exit within ${timeoutMs} ms`);
  }

  /** The first line of stdout that `wanted` maps to something; throws with what was printed instead. */
  line<T>(wanted: (line: string) => T | null | undefined, timeoutMs: number): Promise<T> {
    return this.stdout.first(wanted, timeoutMs).catch((error: Error) => this.fail(error.message));
  }

  /** Signals the whole process group; nothing happens when it is gone already. */
  kill(signal: NodeJS.Signals): void {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** SIGTERM, and SIGKILL after `graceMs`. Settles after the exit. */
  async end(graceMs = 12_000): Promise<Exit> {
    this.kill('SIGTERM');
    const exit = await this.#exitWithin(graceMs);
    if (exit !== null) return exit;
    this.kill('SIGKILL');
    return this.exited;
  }

  async #exitWithin(ms: number): Promise<Exit | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), ms);
    });
    try {
      return await Promise.race([this.exited, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Throws, saying `what` of this process and what it printed last. */
  fail(what: string): never {
    const tail = [...this.stdout.all.slice(-5), ...this.stderr.all.slice(-15)];
    throw new Error([`${this.#name} (pid ${this.pid}): ${what}; it printed:`, ...tail].join('\n  '));
  }
}
