import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressTable, type AddressVisit } from '../../src/policy/address-table.js';
import { SEEDED } from '../support/arbitraries.js';

const INIT = { connections: 2, requestRate: 1_000, limitsLoopback: false };

function enter(table: AddressTable, ip: string, now = 0): AddressVisit {
  const visit = table.enter(ip, now);
  assert.ok(visit !== null, `${ip} was turned away`);
  return visit;
}

test('an address has so many connections at once; one that is over makes room', () => {
  const table = new AddressTable(INIT);
  const first = enter(table, '192.0.2.1');
  enter(table, '192.0.2.1');
  assert.equal(table.enter('192.0.2.1', 0), null);
  enter(table, '192.0.2.2');
  first.leave(0);
  enter(table, '192.0.2.1');
  assert.equal(table.enter('192.0.2.1', 0), null);
});

test('a /64 of IPv6 counts as one address', () => {
  const table = new AddressTable(INIT);
  enter(table, '2001:db8:0:1::1');
  enter(table, '2001:db8:0:1:ffff::2');
  assert.equal(table.enter('2001:db8:0:1::3', 0), null);
  enter(table, '2001:db8:0:2::1');
});

test("loopback's connections are spared unless they are limited, its requests never", () => {
  const sparing = new AddressTable(INIT);
  const visits = Array.from({ length: 9 }, () => enter(sparing, '127.0.0.1'));
  assert.equal(visits[0]!.take(1_500, 0), 500);
  assert.equal(visits[8]!.take(0, 0), 500);
  const limiting = new AddressTable({ ...INIT, limitsLoopback: true });
  for (const ip of ['127.0.0.1', '127.0.0.1', '::1', '::1']) enter(limiting, ip);
  assert.equal(limiting.enter('127.0.0.1', 0), null);
  assert.equal(limiting.enter('::1', 0), null);
});

test('all connections of an address pause together until its requests are paid for', () => {
  const table = new AddressTable(INIT);
  const [a, b, other] = [enter(table, '192.0.2.1'), enter(table, '192.0.2.1'), enter(table, '192.0.2.2')];
  assert.equal(a.take(1_000, 0), 0, 'a second of requests may come at once');
  assert.equal(a.take(250, 0), 250);
  assert.equal(b.take(0, 0), 250);
  assert.equal(other.take(1, 0), 0);
  assert.equal(b.take(0, 249), 1);
  assert.equal(b.take(0, 250), 0);
});

test('going away and coming back does not pay for requests', () => {
  const table = new AddressTable(INIT);
  const visit = enter(table, '192.0.2.1');
  visit.take(3_000, 0);
  visit.leave(0);
  assert.equal(enter(table, '192.0.2.1', 500).take(0, 500), 1_500);
});

test('an address is forgotten once nothing of what it did counts any more', () => {
  const table = new AddressTable(INIT);
  const visit = enter(table, '192.0.2.1');
  visit.take(500, 0);
  visit.leave(0);
  assert.equal(table.size, 1);
  enter(table, '192.0.2.2', 499).leave(499);
  assert.equal(table.size, 2, 'the first is not paid for, and so nobody looks further');
  enter(table, '192.0.2.3', 500).leave(500);
  assert.equal(table.size, 0);
});

test('without limits nothing is counted and nothing is kept', () => {
  const table = new AddressTable({ connections: Infinity, requestRate: Infinity, limitsLoopback: true });
  const visits = Array.from({ length: 100 }, () => enter(table, '192.0.2.1'));
  assert.equal(visits[0]!.take(1e12, 0), 0);
  for (const visit of visits) visit.leave(0);
  assert.equal(table.size, 0);
});

test('whoever comes and goes, the table holds those who are here and a bounded number of others', () => {
  const step = fc.record({
    host: fc.nat(60),
    v6: fc.boolean(),
    leaves: fc.boolean(),
    requests: fc.nat(5_000),
    ms: fc.nat(300),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const mostIdle = 5;
      const table = new AddressTable({ ...INIT, mostIdle });
      const here: { readonly network: string; readonly visit: AddressVisit }[] = [];
      let now = 0;
      for (const { host, v6, leaves, requests, ms } of steps) {
        now += ms;
        const gone = leaves ? here.shift() : undefined;
        gone?.visit.leave(now);
        const network = v6 ? `2001:db8:0:${host}::` : `192.0.2.${host}`;
        const visit = table.enter(v6 ? `${network}${requests.toString(16)}` : network, now);
        const others = here.filter((each) => each.network === network).length;
        assert.equal(visit === null, others >= INIT.connections);
        if (visit === null) continue;
        visit.take(requests, now);
        here.push({ network, visit });
        assert.ok(table.size <= new Set(here.map((each) => each.network)).size + mostIdle);
      }
      for (const { visit } of here) visit.leave(now);
      assert.ok(table.size <= mostIdle);
    }),
    SEEDED,
  );
});
