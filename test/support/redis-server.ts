import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Child } from '../../bench/lib/child.js';
import { freePort, onFreePort } from '../../bench/lib/free-port.js';
import { atEnd, type Scope } from './clean-up.js';
import { tempFolder } from './files.js';

const READY_WITHIN_MS = 20_000;

/** A real redis-server on a loopback port of its own, with its files in a folder of its own. */
export class RedisServer {
  readonly port: number;
  /** Where its files are. */
  readonly folder: string;
  readonly #args: readonly string[];
  #child: Child | null = null;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#args = args;
  }

  /** Keeps nothing on disk unless `args` say so. Ended when the test is over. */
  static start(t: Scope, args: readonly string[] = ['--appendonly', 'no']): Promise<RedisServer> {
    return onFreePort(async (port) => {
      const server = await RedisServer.#on(port, t, args);
      await server.start();
      return server;
    });
  }

  /** As `start`, without starting it. */
  static async prepare(t: Scope, args: readonly string[] = []): Promise<RedisServer> {
    return RedisServer.#on(await freePort(), t, args);
  }

  /** A node that can be made part of a cluster. */
  static startNode(t: Scope): Promise<RedisServer> {
    return onFreePort((port) =>
      RedisServer.start(t, ['--cluster-enabled', 'yes', '--cluster-port', `${port}`]),
    );
  }

  /** A sentinel that watches the engine on `port` of this machine under the name `master`. */
  static startSentinel(t: Scope, master: string, port: number): Promise<RedisServer> {
    return onFreePort(async (own) => {
      const sentinel = await RedisServer.#on(own, t, []);
      const file = join(sentinel.folder, 'sentinel.conf');
      await writeFile(file, `port ${own}\nsentinel monitor ${master} 127.0.0.1 ${port} 1\n`);
      const child = await Child.start('sentinel', 'redis-server', [file, '--sentinel']);
      sentinel.#child = child;
      await child.line((line) => line.includes('+monitor master') || null, READY_WITHIN_MS);
      return sentinel;
    });
  }

  static async #on(port: number, t: Scope, args: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(port, await tempFolder(t), args);
    atEnd(t, () => server.kill());
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again after `kill` on the same port with the same files; resolves when it answers. */
  async start(): Promise<void> {
    const own = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder, '--save', ''];
    const child = await Child.start('redis-server', 'redis-server', [...own, ...this.#args]);
    this.#child = child;
    await child.line((line) => line.includes('Ready to accept connections') || null, READY_WITHIN_MS);
  }

  /** SIGKILL; settles after its exit. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#child?.exited;
    this.#child = null;
  }

  /** It takes connections and answers nothing until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** One command over a connection of its own. */
  async ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis({ port: this.port, host: '127.0.0.1', lazyConnect: true, retryStrategy: null });
    const ended = once(redis, 'end');
    try {
      await redis.connect();
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
      await ended;
    }
  }
}
