import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentBytes } from '../../src/policy/recent-bytes.js';

describe('recent bytes', () => {
  it('are those of the last 20 s', () => {
    const recent = new RecentBytes(2);
    assert.equal(recent.within(1, 5_000), 0);
    recent.add(1, 100, 5_000);
    recent.add(1, 10, 9_999);
    recent.add(0, 7, 9_999);
    assert.equal(recent.within(1, 9_999), 110);
    assert.equal(recent.within(1, 19_999), 110);
    assert.equal(recent.within(1, 30_000), 0);
  });

  it('fade while the window leaves them behind', () => {
    const recent = new RecentBytes(2);
    recent.add(1, 1_000, 0);
    recent.add(1, 500, 10_000);
    assert.equal(recent.within(1, 20_000), 1_500);
    assert.equal(recent.within(1, 25_000), 1_000);
    assert.equal(recent.within(1, 29_999), 500);
    assert.equal(recent.within(1, 35_000), 250);
    assert.equal(recent.within(1, 1_000_000), 0);
  });

  it('of a steady stream are its rate times 20 s', () => {
    const recent = new RecentBytes(2);
    for (let at = 0; at < 60_000; at += 100) recent.add(1, 10, at);
    for (let at = 60_000; at < 90_000; at += 100) {
      recent.add(1, 10, at);
      assert.ok(Math.abs(recent.within(1, at) - 2_000) <= 20, `${recent.within(1, at)} at ${at}`);
    }
  });

  it('of a row are kept while others are added, and are none once it is cleared', () => {
    const recent = new RecentBytes(1);
    recent.add(0, 5, 1);
    recent.grow(2);
    recent.add(1, 6, 1);
    assert.deepEqual([recent.within(0, 2), recent.within(1, 2)], [5, 6]);
    recent.clear(0);
    assert.deepEqual([recent.within(0, 2), recent.within(1, 2)], [0, 6]);
  });
});
