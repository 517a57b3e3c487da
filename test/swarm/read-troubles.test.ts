import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FileMd5, PartIndex } from '../../src/model/ids.js';
import { ReadTroubles } from '../../src/swarm/read-troubles.js';

const file = (n: number) => n.toString(16).padStart(32, '0') as FileMd5;
const [first, second] = [0, 1] as PartIndex[] as [PartIndex, PartIndex];

describe('read troubles', () => {
  it('are news once for each file and code', () => {
    const troubles = new ReadTroubles();
    assert.ok(troubles.isNews(file(1), first, 'EIO'));
    assert.ok(!troubles.isNews(file(1), first, 'EIO'));
    assert.ok(!troubles.isNews(file(1), second, 'EIO'));
    assert.ok(troubles.isNews(file(1), first, 'EMFILE'));
    assert.ok(troubles.isNews(file(2), first, 'EIO'));
  });

  it('are news again when the part that was said to fail was read, and not when another was', () => {
    const troubles = new ReadTroubles();
    troubles.isNews(file(1), first, 'EIO');
    troubles.isNews(file(1), second, 'EMFILE');
    troubles.over(file(1), second);
    assert.ok(!troubles.isNews(file(1), first, 'EIO'));
    assert.ok(troubles.isNews(file(1), first, 'EMFILE'));
    troubles.over(file(1), first);
    assert.ok(troubles.isNews(file(1), second, 'EIO'));
  });

  it('are remembered of the last 1,024 files', () => {
    const troubles = new ReadTroubles();
    for (let n = 0; n <= 1_024; n++) troubles.isNews(file(n), first, 'EIO');
    assert.ok(!troubles.isNews(file(1), first, 'EIO'));
    assert.ok(troubles.isNews(file(0), first, 'EIO'));
  });
});
