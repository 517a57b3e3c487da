import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyedRows } from '../../src/policy/contender-rows.js';

describe('rows of contenders', () => {
  it('are one for each peer, and keep what they hold while their table grows', () => {
    const rows = new KeyedRows<string>();
    const peers = Array.from({ length: 100 }, (_, n) => `peer ${n}`);
    for (const [n, peer] of peers.entries()) {
      const row = rows.add(peer);
      rows.table.begin(row, n);
      rows.table.gave(row, 10 * n, n);
      rows.table.took(row, n, n);
    }
    assert.equal(rows.size, 100);
    for (const [n, peer] of peers.entries()) {
      const row = rows.find(peer);
      assert.equal(rows.peerOf(row), peer);
      assert.equal(rows.table.since(row), n);
      assert.deepEqual([rows.table.recentlyGave(row, 100), rows.table.recentlyTook(row, 100)], [10 * n, n]);
    }
    assert.equal(rows.find('another'), -1);
  });

  it('of peers that are gone are taken again, with nothing of theirs left', () => {
    const rows = new KeyedRows<string>();
    for (const peer of ['a', 'b', 'c']) rows.table.begin(rows.add(peer), 0);
    const freed = rows.find('b');
    rows.table.gave(freed, 7, 0);
    rows.table.took(freed, 7, 0);
    rows.table.setOptimisticAt(freed, 0);
    rows.remove(freed);
    assert.deepEqual([rows.find('b'), rows.size], [-1, 2]);
    assert.equal(rows.add('d'), freed);
    rows.table.begin(freed, 5);
    assert.deepEqual([rows.table.recentlyGave(freed, 5), rows.table.recentlyTook(freed, 5)], [0, 0]);
    assert.ok(rows.table.mayBegin(freed, 5) && rows.table.isSnubbed(freed, 5));
    assert.deepEqual([rows.end, rows.peerOf(freed)], [3, 'd']);
  });
});
