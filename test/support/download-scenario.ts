import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Child, Exit } from '../../bench/lib/child.js';
import { BasePeer, type BasePeerOptions } from './base-peer.js';
import { atEnd } from './clean-up.js';
import { FakeTracker } from './fake-tracker.js';
import { md5, tempFolder } from './files.js';
import { type CliEvent, eventsOf, TestProgram } from './process.js';

const EXIT_WITHIN_MS = 60_000;

export interface ScenarioOptions {
  readonly content: Uint8Array;
  /** Of the registration; 262,144 when left out. */
  readonly partSize?: number;
  readonly name?: string;
  /** The id it is registered under; its MD5 when left out. */
  readonly id?: string;
  /** One base peer each, on 127.0.0.2, 127.0.0.3, …, owner of every part. */
  readonly peers: readonly Omit<BasePeerOptions, 'content' | 'partSize' | 'md5' | 'host'>[];
  /** How many owners are listed besides where nobody listens. */
  readonly dead?: number;
}

export interface GetResult extends Exit {
  readonly get: Child;
  readonly events: readonly CliEvent[];
  /** The last event: `done` or `error`. */
  readonly last: CliEvent;
}

/** A tracker and peers of another implementation, and our `get` among them. */
export class DownloadScenario {
  readonly tracker: FakeTracker;
  /** HOST:PORT of the tracker, also when it has stopped. */
  readonly trackerAt: string;
  readonly peers: readonly BasePeer[];
  readonly program: TestProgram;
  /** The folder that `get` is started in. */
  readonly folder: string;
  readonly id: string;
  readonly #content: Uint8Array;

  private constructor(
    parts: Pick<DownloadScenario, 'tracker' | 'peers' | 'program' | 'folder' | 'id'>,
    content: Uint8Array,
  ) {
    this.tracker = parts.tracker;
    this.trackerAt = `127.0.0.1:${parts.tracker.port}`;
    this.peers = parts.peers;
    this.program = parts.program;
    this.folder = parts.folder;
    this.id = parts.id;
    this.#content = content;
  }

  static async start(t: TestContext, options: ScenarioOptions): Promise<DownloadScenario> {
    const { content, partSize = 262_144, name = 'a file.bin', id = md5(content) } = options;
    const folder = join(await tempFolder(t), 'home');
    await mkdir(folder);
    const tracker = await new FakeTracker().start();
    tracker.habits.findsPrefixes = true;
    atEnd(t, () => tracker.stop());
    const peers: BasePeer[] = [];
    for (const [i, more] of options.peers.entries()) {
      const peer = new BasePeer({ ...more, content, partSize, md5: id, host: `127.0.0.${i + 2}` });
      peers.push(await peer.start());
      atEnd(t, () => peer.stop());
    }
    // Nobody listens on 127.0.0.254: a connection there is refused at once.
    const dead = Array.from({ length: options.dead ?? 0 }, (_, i) => ({
      host: '127.0.0.254',
      port: 5000 + i,
    }));
    const parts = Array.from({ length: Math.ceil(content.length / partSize) }, (_, part) => part);
    const owners = [...dead, ...peers].map(({ host, port }) => ({ v4: host, port, parts }));
    tracker.publish({ md5: id, name, fileSize: content.length, partSize, owners });
    return new DownloadScenario({ tracker, peers, program: new TestProgram(t, folder), folder, id }, content);
  }

  /** Starts `get` of the file into `got.bin` of the folder, unless `args` name another target. */
  get(...args: string[]): Promise<Child> {
    const target = args.includes('-o') ? [] : ['-o', 'got.bin'];
    const ends = args.some((arg) => arg.startsWith('--seed-')) ? [] : ['--no-seed'];
    return this.program.cli(
      ...[
        'get',
        this.id,
        '--json',
        '--tracker',
        this.trackerAt,
        '--listen',
        '127.0.0.1:0',
        ...ends,
        ...target,
        ...args,
      ],
    );
  }

  /** Runs `get` to its end. */
  async run(...args: string[]): Promise<GetResult> {
    const get = await this.get(...args);
    const exit = await get.exit(EXIT_WITHIN_MS);
    const events = eventsOf(get);
    return { ...exit, get, events, last: events.at(-1) ?? get.fail('printed no event') };
  }

  /** Asserts that `get` ended well with the right file, and asked each peer only what a base peer can read. */
  async assertRight(result: GetResult, target = 'got.bin'): Promise<void> {
    if (result.code !== 0) result.get.fail(`ended with ${result.code ?? result.signal}`);
    assert.equal(result.last.event, 'done');
    assert.ok((await readFile(join(this.folder, target))).equals(this.#content), 'the file differs');
    for (const peer of this.peers) {
      assert.deepEqual(peer.violations, []);
      assert.ok(peer.maxWaiting <= 4, `${peer.maxWaiting} requests waited at one peer`);
    }
    assert.deepEqual(this.tracker.violations, []);
  }
}
