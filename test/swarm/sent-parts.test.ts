import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { SentParts } from '../../src/swarm/sent-parts.js';

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

  it('are counted to a limit, and for the files asked for last', () => {
    const sent = new SentParts();
    for (let n = 0; n < 65_540; n++) sent.add(file(0), part(0), 1);
    assert.equal(sent.times(file(0), part(0)), 65_535);
    for (let n = 1; n <= 64; n++) sent.add(file(n), part(0), 1);
    assert.deepEqual([sent.times(file(0), part(0)), sent.times(file(1), part(0))], [0, 1]);
  });
});
