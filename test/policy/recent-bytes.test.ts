import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addRecent,
  clearRecent,
  hasRecent,
  RECENT_FIELDS,
  recentWithin,
} from '../../src/policy/recent-bytes.js';

/** The second of three rows. */
class Row {
  readonly fields = new Float64Array(3 * RECENT_FIELDS);

  add(bytes: number, now: number): void {
    addRecent(this.fields, RECENT_FIELDS, bytes, now);
  }

  within(now: number): number {
    return recentWithin(this.fields, RECENT_FIELDS, now);
  }
}

describe('recent bytes', () => {
  it('are those of the last 20 s', () => {
    const recent = new Row();
    assert.equal(recent.within(5_000), 0);
    recent.add(100, 5_000);
    recent.add(10, 9_999);
    assert.equal(recent.within(9_999), 110);
    assert.equal(recent.within(19_999), 110);
    assert.equal(recent.within(30_000), 0);
  });

  it('fade while the window leaves them behind', () => {
    const recent = new Row();
    recent.add(1_000, 0);
    recent.add(500, 10_000);
    assert.equal(recent.within(20_000), 1_500);
    assert.equal(recent.within(25_000), 1_000);
    assert.equal(recent.within(29_999), 500);
    assert.equal(recent.within(35_000), 250);
    assert.equal(recent.within(1_000_000), 0);
  });

  it('of a steady stream are its rate times 20 s', () => {
    const recent = new Row();
    for (let at = 0; at < 60_000; at += 100) recent.add(10, at);
    for (let at = 60_000; at < 90_000; at += 100) {
      recent.add(10, at);
      assert.ok(Math.abs(recent.within(at) - 2_000) <= 20, `${recent.within(at)} at ${at}`);
    }
  });

  it('are the same whether somebody looked meanwhile or not', () => {
    const [looked, left] = [new Row(), new Row()];
    for (const at of [3_000, 14_000, 29_000, 61_000, 64_000]) {
      for (const recent of [looked, left]) recent.add(at, at);
      for (let later = at; later < at + 2_500; later += 500) looked.within(later);
    }
    assert.equal(looked.within(75_000), left.within(75_000));
  });

  it('are remembered as bytes that there were, until the row is cleared', () => {
    const recent = new Row();
    assert.equal(hasRecent(recent.fields, RECENT_FIELDS), false);
    recent.add(5, 0);
    assert.equal(recent.within(1_000_000), 0);
    assert.ok(hasRecent(recent.fields, RECENT_FIELDS) && !hasRecent(recent.fields, 0));
    clearRecent(recent.fields, RECENT_FIELDS);
    assert.equal(hasRecent(recent.fields, RECENT_FIELDS), false);
  });

  it('of a row are its own, and none once it is cleared', () => {
    const recent = new Row();
    recent.add(5, 0);
    addRecent(recent.fields, 0, 7, 0);
    clearRecent(recent.fields, RECENT_FIELDS);
    assert.deepEqual([recent.within(0), recentWithin(recent.fields, 0, 0)], [0, 7]);
    assert.ok(recent.fields.subarray(2 * RECENT_FIELDS).every((field) => field === 0));
  });
});
