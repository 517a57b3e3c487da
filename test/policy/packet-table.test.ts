import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PACKET_MEMORY_MS, PacketTable } from '../../src/policy/packet-table.js';
import { SEEDED } from '../support/arbitraries.js';

describe('a packet table', () => {
  it('knows a Pktid again for 300 s and has forgotten it after 600 s', () => {
    const table = new PacketTable();
    assert.equal(table.seen('OTHER', 0), false);
    assert.equal(table.seen('A', 100_000), false);
    assert.equal(table.seen('A', 100_000 + PACKET_MEMORY_MS - 1), true);
    assert.equal(table.seen('A', 100_000 + 2 * PACKET_MEMORY_MS), false);
  });

  it('does not remember longer what is sent again and again', () => {
    const table = new PacketTable();
    let fresh = 0;
    for (let now = 0; now <= 10 * PACKET_MEMORY_MS; now += 1_000) if (!table.seen('A', now)) fresh++;
    assert.ok(fresh >= 5, `${fresh} times`);
  });

  it('holds no more than two generations of its capacity, and the latest of them', () => {
    const table = new PacketTable(100);
    for (let packet = 0; packet < 10_000; packet++) assert.equal(table.seen(String(packet), packet), false);
    assert.ok(table.size <= 200);
    for (let packet = 9_900; packet < 10_000; packet++)
      assert.equal(table.seen(String(packet), 10_000), true);
  });

  it('forgets everything in a long silence', () => {
    const table = new PacketTable();
    table.seen('A', 0);
    table.seen('B', 2 * PACKET_MEMORY_MS);
    assert.equal(table.size, 1);
  });

  it('never takes a first Pktid for a duplicate nor a duplicate within 300 s for a first one', () => {
    const arrivals = fc.array(fc.tuple(fc.nat(20), fc.nat(80_000)), { maxLength: 100 });
    fc.assert(
      fc.property(arrivals, (steps) => {
        const table = new PacketTable();
        const firstAt = new Map<string, number>();
        let now = 0;
        for (const [packet, later] of steps) {
          now += later;
          const first = firstAt.get(String(packet));
          const seen = table.seen(String(packet), now);
          if (first === undefined) assert.equal(seen, false);
          else if (now - first < PACKET_MEMORY_MS) assert.equal(seen, true);
          if (!seen) firstAt.set(String(packet), now);
        }
      }),
      SEEDED,
    );
  });
});
