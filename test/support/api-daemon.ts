import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { HttpServer, type HttpServerOptions } from '../../src/daemon/http-server.js';
import { Seedbox, type SeedboxOptions } from '../../src/daemon/seedbox.js';
import { TrackerServer } from '../../src/daemon/tracker-server.js';
import type { HostPort } from '../../src/model/address.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { atEnd } from './clean-up.js';
import { tempFolder } from './files.js';
import { soon } from './soon.js';

const loopback = { host: '127.0.0.1', port: 0 };

export interface ApiAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
  /** Of a JSON answer. */
  readonly json: ReturnType<typeof JSON.parse>;
}

interface ApiRequest {
  readonly method?: string;
  readonly headers?: NodeJS.Dict<string>;
  readonly json?: unknown;
  /** Instead of `json`, as it is. */
  readonly body?: string;
}

/** A tracker and daemons in this process, one of which serves HTTP. */
export class ApiScene {
  readonly folder: string;
  readonly tracker: TrackerServer;
  readonly trackerAt: HostPort;
  readonly #t: TestContext;

  private constructor(t: TestContext, folder: string, tracker: TrackerServer, at: HostPort) {
    this.#t = t;
    this.folder = folder;
    this.tracker = tracker;
    this.trackerAt = at;
  }

  static async start(t: TestContext): Promise<ApiScene> {
    const folder = await tempFolder(t);
    for (const name of ['shared', 'downloads', 'state', 'own']) await mkdir(join(folder, name));
    const tracker = new TrackerServer({
      ...{ store: new MemoryStore(), listen: loopback, trustAnnouncedAddresses: false },
      ...{ logger: silentLogger, clock: systemClock },
    });
    const at = await tracker.start();
    atEnd(t, () => tracker.stop());
    return new ApiScene(t, folder, tracker, at);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Another tracker, once it and the one of the scene are neighbours. */
  async neighbour(): Promise<{ readonly tracker: TrackerServer; readonly at: HostPort }> {
    const tracker = new TrackerServer({
      ...{ store: new MemoryStore(), listen: loopback, trustAnnouncedAddresses: false },
      flooding: { neighbours: [this.trackerAt], stateDir: null, announce: null },
      ...{ logger: silentLogger, clock: systemClock },
    });
    const at = await tracker.start();
    atEnd(this.#t, () => tracker.stop());
    await soon(async () => tracker.stats().search.neighbours.kept === 1);
    await soon(async () => this.tracker.stats().search.neighbours.kept === 1);
    return { tracker, at };
  }

  /** Shares these files, by name, from a daemon of its own. */
  async sharer(files: Readonly<Record<string, Uint8Array>>, options: Partial<SeedboxOptions> = {}) {
    for (const [name, content] of Object.entries(files)) await writeFile(this.path('shared', name), content);
    return this.#seedbox({ folders: [this.path('shared')], ...options });
  }

  /** The daemon with the API: downloads to `downloads`, shares that and `own`. */
  async daemon(
    options: Partial<SeedboxOptions> = {},
    http: Partial<HttpServerOptions> = {},
  ): Promise<{ readonly api: ApiClient; readonly seedbox: Seedbox; stop(): Promise<void> }> {
    const [downloads, own, stateDir] = ['downloads', 'own', 'state'].map((name) => this.path(name)) as [
      string,
      string,
      string,
    ];
    const seedbox = await this.#seedbox({ downloads, folders: [downloads, own], stateDir, ...options });
    const server = new HttpServer({
      ...{ token: null, stateDir, metricsFiles: null, version: '1.2.3' },
      ...{ folders: new Map([['downloads', downloads]]), clock: systemClock, logger: silentLogger },
      ...http,
    });
    const { port } = await server.start(loopback, { seedbox });
    atEnd(this.#t, () => server.stop());
    const stop = async () => {
      await server.stop();
      await seedbox.stop();
    };
    return { api: new ApiClient(port), seedbox, stop };
  }

  async #seedbox(options: Partial<SeedboxOptions>): Promise<Seedbox> {
    const seedbox = new Seedbox({
      ...{ trackers: [this.trackerAt], listen: loopback, announce: null, slots: 4, files: [] },
      ...{ seedChoking: 'round-robin', uploadLimit: null, downloadLimit: null, cacheBytes: 16 * 1024 * 1024 },
      ...{ folders: [], downloads: null, activeDownloads: 3, stateDir: null, leaveWhenSafe: false },
      ...{ recheck: false, onShared: () => {}, logger: silentLogger, clock: systemClock },
      ...options,
    });
    await seedbox.start();
    atEnd(this.#t, async () => {
      await seedbox.stop();
    });
    return seedbox;
  }
}

export class ApiClient {
  readonly port: number;
  /** Sent with every request. */
  token: string | null = null;

  constructor(port: number) {
    this.port = port;
  }

  get(path: string, headers: NodeJS.Dict<string> = {}): Promise<ApiAnswer> {
    return this.ask(path, { headers });
  }

  /** `path` without /api/v1 unless it begins with two slashes. */
  ask(path: string, { method = 'GET', headers = {}, json, body }: ApiRequest = {}): Promise<ApiAnswer> {
    const sent = json === undefined ? body : JSON.stringify(json);
    return new Promise((resolve, reject) => {
      const asking = request(
        {
          ...{ host: '127.0.0.1', port: this.port, method, agent: false },
          path: path.startsWith('//') ? path.slice(1) : `/api/v1${path}`,
          headers: {
            ...(json === undefined ? {} : { 'content-type': 'application/json' }),
            ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
            ...headers,
          },
        },
        (response) => {
          buffer(response).then((bytes) => {
            const isJson = String(response.headers['content-type']).startsWith('application/json');
            resolve({
              ...{ status: response.statusCode!, headers: response.headers, bytes },
              json: isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : null,
            });
          }, reject);
        },
      );
      asking.on('error', reject);
      asking.end(sent);
    });
  }
}
