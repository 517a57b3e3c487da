import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentBytes } from '../../src/policy/recent-bytes.js';

describe('recent bytes', () => {
  it('are those of the last 20 s', () => {
    const recent = new RecentBytes();
    assert.equal(recent.within(5_000), 0);
    recent.add(100, 5_000);
    recent.add(10, 9_999);
    assert.equal(recent.within(9_999), 110);
    assert.equal(recent.within(19_999), 110);
    assert.equal(recent.within(30_000), 0);
  });

  it('fade while the window leaves them behind', () => {
    const recent = new RecentBytes();
    recent.add(1_000, 0);
    recent.add(500, 10_000);
    assert.equal(recent.within(20_000), 1_500);
    assert.equal(recent.within(25_000), 1_000);
    assert.equal(recent.within(29_999), 500);
    assert.equal(recent.within(35_000), 250);
    assert.equal(recent.within(1_000_000), 0);
  });

  it('of a steady stream are its rate times 20 s', () => {
    const recent = new RecentBytes();
    for (let at = 0; at < 60_000; at += 100) recent.add(10, at);
    for (let at = 60_000; at < 90_000; at += 100) {
      recent.add(10, at);
      assert.ok(Math.abs(recent.within(at) - 2_000) <= 20, `${recent.within(at)} at ${at}`);
    }
  });
});
