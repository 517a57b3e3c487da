import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { OperationalError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import { Engine } from '../../../src/tracker/redis/engine.js';
import { FILE_KEYS, fileKey } from '../../../src/tracker/redis/keys.js';
import { parseRedisPlace } from '../../../src/tracker/redis/place.js';
import { fileMd5 } from '../../contracts/tracker-values.js';
import { atEnd, type Scope } from '../../support/clean-up.js';
import { ManualClock } from '../../support/manual-clock.js';
import { RedisServer } from '../../support/redis-server.js';
import { requireProgram } from '../../support/requires.js';
import { soon } from '../../support/soon.js';
import { Switch } from '../../support/switch.js';

/** Lookups that are sent together. */
const LOOKUPS = 20;

const isAway = (error: unknown) => error instanceof OperationalError && error.code === 'STORE_AWAY';

async function openEngine(t: Scope, port: number, database = 0) {
  const clock = new ManualClock();
  let found = 0;
  const masterFound = () => {
    found += 1;
  };
  const place = parseRedisPlace(`redis://127.0.0.1:${port}/${database}`)!;
  const engine = new Engine(place, { clock, logger: silentLogger, masterFound });
  await engine.start();
  atEnd(t, () => engine.stop());
  return { engine, clock, mastersFound: () => found };
}

/** How many of them were answered; all others were refused as STORE_AWAY. */
async function answered(engine: Engine): Promise<number> {
  const lookups = Array.from({ length: LOOKUPS }, (_, n) => engine.run('describeFile', fileKey(fileMd5(n))));
  const outcomes = await Promise.allSettled(lookups);
  for (const outcome of outcomes) assert.ok(outcome.status === 'fulfilled' || isAway(outcome.reason));
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

/** An address of the server that counts the connections to it. */
async function dialled(t: Scope, server: RedisServer) {
  const address = await Switch.open(t, server.port);
  let count = 0;
  address.connected = () => {
    count += 1;
  };
  return { port: address.port, dials: () => count };
}

async function loseMaster(server: RedisServer): Promise<void> {
  await server.ask('config', 'set', 'replica-serve-stale-data', 'no');
  await server.ask('replicaof', '127.0.0.1', 1);
}

test('one without a master is dialled anew once a second, however much is asked of it, and nothing meanwhile', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const { port, dials } = await dialled(t, server);
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  atEnd(t, () => {
    process.off('warning', warn);
  });
  const { engine, clock, mastersFound } = await openEngine(t, port);
  assert.equal(await answered(engine), LOOKUPS);
  await loseMaster(server);
  for (let second = 1; second <= 3; second += 1) {
    assert.equal(await answered(engine), 0);
    assert.equal(engine.isAway, true, 'the connection is given up at once');
    await soon(() => !engine.isAway);
    for (let round = 0; round < 5; round += 1) assert.equal(await answered(engine), 0);
    assert.equal(engine.isAway, false);
    assert.equal(dials(), 1 + second);
    clock.advance(1_000);
    await soon(() => engine.isAway);
  }
  await server.ask('replicaof', 'no', 'one');
  await soon(() => !engine.isAway);
  assert.equal(await answered(engine), LOOKUPS);
  assert.equal(engine.refusesWrites, true);
  clock.advance(1_000);
  await soon(() => !engine.refusesWrites);
  assert.equal(dials(), 5);
  assert.equal(mastersFound(), 1);
  assert.deepEqual(warnings, []);
});

test('that it has no master is also heard when it is asked for its keys', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const { engine } = await openEngine(t, server.port);
  await loseMaster(server);
  await assert.rejects(async () => {
    for await (const _ of engine.keys(FILE_KEYS));
  }, isAway);
  assert.equal(engine.refusesWrites, true);
});

test('one that hangs in a script takes no changes until that ends', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const { engine, clock } = await openEngine(t, server.port);
  // While it hangs nobody can connect.
  const killer = new Redis(server.port, '127.0.0.1');
  atEnd(t, () => killer.disconnect());
  await killer.config('SET', 'busy-reply-threshold', '10');
  const hanging = assert.rejects(server.ask('eval', 'while true do end', 0), /killed/i);
  await soon(() => answered(engine).then(() => engine.refusesWrites));
  await killer.script('KILL');
  await hanging;
  clock.advance(1_000);
  await soon(() => !engine.refusesWrites);
  assert.equal(await answered(engine), LOOKUPS);
});

test('one that has not the database that is asked for is away: no other is used in its place', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const { port, dials } = await dialled(t, server);
  const { engine } = await openEngine(t, port, 99);
  await soon(() => {
    assert.equal(engine.isAway, true);
    return dials() >= 3;
  });
  await assert.rejects(engine.run('tryToWrite', 'bt:any', ''), isAway);
});
