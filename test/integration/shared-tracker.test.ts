import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BaseClient, type BaseFile } from '../support/base-client.js';
import { seededRandom, tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';
import type { Endpoint } from '../support/receiver.js';
import { RedisServer } from '../support/redis-server.js';
import { requireProgram } from '../support/requires.js';
import { soon } from '../support/soon.js';

const WITHIN_MS = 30_000;
const PARTS = 128;
const LEECHES = 4;
const PAIRS = 20;

const big: BaseFile = { md5: 'a'.repeat(32), name: 'big.bin', size: PARTS * 4096, partSize: 4096 };
const pairFile = (n: number): BaseFile => ({
  md5: n.toString(16).padStart(32, '0'),
  name: `pair ${n}.bin`,
  size: 8192,
  partSize: 4096,
});

/** Two trackers, one of them of two processes, on one engine that keeps what it answered. */
async function startTrackers(t: TestContext): Promise<{ server: RedisServer; trackers: Endpoint[] }> {
  const server = await RedisServer.start(t, ['--appendonly', 'yes', '--appendfsync', 'always']);
  const program = new TestProgram(t, await tempFolder(t));
  const store = ['--listen', '127.0.0.1:0', '--store', server.url];
  const children = await Promise.all([
    program.cli('tracker', ...store),
    program.cli('tracker', '--processes', '2', ...store),
  ]);
  const trackers = await Promise.all(
    children.map(async (child) => {
      const at = await child.line((line) => / listening on (.*):(\d+)$/.exec(line), WITHIN_MS);
      return { host: at[1]!, port: Number(at[2]) };
    }),
  );
  return { server, trackers };
}

/** One peer, which asks now this tracker and now that. */
class Wanderer {
  readonly #clients: BaseClient[];
  readonly #random: () => number;

  private constructor(clients: BaseClient[], random: () => number) {
    this.#clients = clients;
    this.#random = random;
  }

  static async logIn(trackers: readonly Endpoint[], port: number): Promise<Wanderer> {
    const clients = trackers.map((tracker) => new BaseClient({ tracker, port, timeoutMs: WITHIN_MS }));
    const sessions = await Promise.all(clients.map((client) => client.login()));
    assert.equal(new Set(sessions).size, 1, 'one address, one session, whichever tracker is asked');
    return new Wanderer(clients, seededRandom(`${port}`));
  }

  at(tracker: number): BaseClient {
    return this.#clients[tracker]!;
  }

  anywhere(): BaseClient {
    return this.at(Math.floor(this.#random() * this.#clients.length));
  }

  /** Asks until it is answered, as a peer does whose tracker is in trouble; the first answer. */
  async insist<T>(ask: (client: BaseClient) => Promise<T | null>): Promise<T> {
    let answer: T | null = null;
    await soon(async () => {
      answer = await ask(this.anywhere());
      return answer !== null;
    }, WITHIN_MS);
    return answer!;
  }
}

test('trackers on one store, whose engine is killed meanwhile: no part is lost, no two last sources both leave', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const { server, trackers } = await startTrackers(t);
  const source = await Wanderer.logIn(trackers, 5001);
  assert.equal(await source.anywhere().addr(big), PARTS);
  const leeches = await Promise.all(
    Array.from({ length: LEECHES }, (_, n) => Wanderer.logIn(trackers, 5002 + n)),
  );

  let told = 0;
  // Leech n tells of all parts but part n.
  const telling = leeches.map(async (leech, n) => {
    for (let part = 0; part < PARTS; part += 1) {
      if (part === n) continue;
      const owned = await leech.insist((client) => client.rpad(big.md5, part));
      assert.equal(owned, part + (part > n ? 0 : 1));
      told += 1;
      if (part % 16 === 0) {
        const owners = await leech.insist((client) => client.fchu(big.md5, PARTS));
        assert.ok(owners.some(({ port, parts }) => port === 5001 && parts.length === PARTS));
        assert.ok((await leech.insist((client) => client.look('BIG'))).length === 1);
      }
    }
  });
  const killing = (async () => {
    await soon(() => told > (LEECHES * PARTS) / 2, WITHIN_MS);
    await server.kill();
    await server.start();
  })();
  await Promise.all([...telling, killing]);
  for (const [at] of trackers.entries()) {
    const owners = await source.insist(() => source.at(at).fchu(big.md5, PARTS));
    const missing = owners
      .sort((a, b) => a.port - b.port)
      .map(({ port, parts }) => [
        port,
        Array.from({ length: PARTS }, (_, n) => n).filter((n) => !parts.includes(n)),
      ]);
    assert.deepEqual(
      missing,
      leeches.map((_, n) => [5002 + n, [n]]),
    );
  }

  for (let round = 0; round < PAIRS; round += 1) {
    const pair = await Promise.all([6000, 7000].map((port) => Wanderer.logIn(trackers, port + round)));
    const file = pairFile(round);
    for (const each of pair) assert.equal(await each.anywhere().addr(file), 2);
    const answers = await Promise.all(pair.map((each, at) => each.at(at).logo()));
    assert.ok(answers.every((answer) => answer !== null));
    assert.ok(
      answers.filter((answer) => answer.left).length <= 1,
      `${JSON.stringify(answers)} in round ${round}`,
    );
    const owners = await source.insist((client) => client.fchu(file.md5, 2));
    assert.ok(owners.length >= 1, `the file of round ${round} is still there`);
  }
});
