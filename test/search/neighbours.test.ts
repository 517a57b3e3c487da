import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../bench/lib/free-port.js';
import { silentLogger } from '../../src/core/logger.js';
import type { NodeAddress } from '../../src/model/address.js';
import { NeighbourFilterTable } from '../../src/policy/neighbour-filter-table.js';
import { PacketTable } from '../../src/policy/packet-table.js';
import { Neighbours } from '../../src/search/neighbours.js';
import { nothingOpen, until } from '../net/scripted-node.js';
import { atEnd } from '../support/clean-up.js';
import { ManualClock } from '../support/manual-clock.js';

const HOST = '127.0.0.1';
const SHUNNED_MS = 600_000;

test('the only neighbour, gone after three failures, is taken again when it announces itself ten minutes later', async (t) => {
  atEnd(t, nothingOpen);
  const clock = new ManualClock();
  const neighbours = new Neighbours({
    ...{ named: [], file: null, localAddress: undefined, clock, logger: silentLogger },
    self: () => ({ v4: HOST, v6: null, port: 1 }),
    ...{ packets: new PacketTable(), filters: new NeighbourFilterTable() },
    ...{ random: () => 1, randomBytes: (count) => new Uint8Array(count) },
  });
  atEnd(t, () => neighbours.stop());
  await neighbours.start();
  const address: NodeAddress = { v4: HOST, v6: null, port: await freePort() };
  neighbours.announced(address, HOST);
  for (const [failures, wait] of [1_000, 2_000].entries()) {
    await until(() => neighbours.list()[0]?.failures === failures + 1);
    clock.advance(wait);
  }
  await until(() => neighbours.list().length === 0);
  clock.advance(SHUNNED_MS - 1);
  neighbours.announced(address, HOST);
  assert.equal(neighbours.list().length, 0, 'it is left alone for a while');
  clock.advance(1);
  neighbours.announced(address, HOST);
  assert.equal(neighbours.list().length, 1);
});
