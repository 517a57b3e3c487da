import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { SentParts } from '../../src/swarm/sent-parts.js';
import { owner } from './scripted-link.js';

const file = (n: number) => n.toString(16).padStart(32, '0') as FileMd5;
const part = (n: number) => n as PartIndex;

describe('the parts sent', () => {
  it('are counted for each file', () => {
    const sent = new SentParts();
    assert.equal(sent.times(file(1), part(3)), 0);
    sent.add(file(1), part(3), 5);
    sent.add(file(1), part(3), 5);
    sent.add(file(2), part(3), 5);
    assert.deepEqual([sent.times(file(1), part(3)), sent.times(file(2), part(3))], [2, 1]);
    assert.equal(sent.times(file(1), part(4)), 0);
  });

  it('are not those that did not get there', () => {
    const sent = new SentParts();
    sent.failed(file(1), part(0));
    assert.ok(sent.spreads(file(1)));
    for (const n of [0, 1, 1]) sent.add(file(1), part(n), 2);
    assert.ok(!sent.spreads(file(1)));
    sent.failed(file(1), part(1));
    assert.ok(!sent.spreads(file(1)));
    sent.failed(file(1), part(1));
    assert.ok(sent.spreads(file(1)));
    assert.deepEqual([sent.times(file(1), part(0)), sent.times(file(1), part(1))], [1, 0]);
  });

  it('spread while nobody else is complete, but some have a part', () => {
    const sent = new SentParts();
    for (const n of [0, 1]) sent.add(file(1), part(n), 2);
    const some = PartList.empty(2);
    some.add(part(1));
    sent.owned(file(1), [owner(0, some)]);
    assert.ok(sent.spreads(file(1)));
    sent.owned(file(1), [owner(0, some), owner(1, PartList.full(2))]);
    assert.ok(!sent.spreads(file(1)));
    sent.owned(file(1), []);
    assert.ok(!sent.spreads(file(1)));
  });

  it('are counted to a limit, and for the files asked for last', () => {
    const sent = new SentParts();
    for (let n = 0; n < 65_540; n++) sent.add(file(0), part(0), 1);
    assert.equal(sent.times(file(0), part(0)), 65_535);
    for (let n = 1; n <= 64; n++) sent.add(file(n), part(0), 1);
    assert.deepEqual([sent.times(file(0), part(0)), sent.times(file(1), part(0))], [0, 1]);
  });
});
