import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import type { Owner } from '../../src/protocol/messages.js';
import { OwnerLookup } from '../../src/swarm/owner-lookup.js';
import { ManualClock } from '../support/manual-clock.js';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)] as [FileMd5, FileMd5];
const geometry = partGeometry(10, 5);
const owners: Owner[] = [{ address: { v4: '10.0.0.1', v6: null, port: 5000 }, parts: PartList.full(2) }];

function rig(answer: () => Promise<readonly Owner[]> = async () => owners) {
  const clock = new ManualClock();
  const asked: FileMd5[] = [];
  const found: (readonly Owner[])[] = [];
  const lookup = new OwnerLookup({
    find: (md5) => {
      asked.push(md5);
      return answer();
    },
    found: (_, some) => found.push(some),
    clock,
  });
  const contend = async (md5: FileMd5) => {
    lookup.ask(md5, geometry);
    await setImmediate();
  };
  return { clock, asked, found, lookup, contend };
}

describe('the lookup of owners', () => {
  it('asks for a contended file at most every 30 s', async () => {
    const { clock, asked, found, contend } = rig();
    await contend(A);
    clock.advance(29_999);
    await contend(A);
    await contend(B);
    assert.deepEqual(asked, [A, B]);
    clock.advance(1);
    await contend(A);
    assert.deepEqual(asked, [A, B, A]);
    assert.deepEqual(found, [owners, owners, owners]);
  });

  it('knows whom the trackers named last', async () => {
    const { lookup, contend } = rig();
    assert.deepEqual(lookup.known(A), []);
    await contend(A);
    const [known, ...others] = lookup.known(A);
    assert.deepEqual([known?.address, known?.parts, known?.complete], [owners[0]!.address, 2, true]);
    assert.deepEqual([others, lookup.known(B)], [[], []]);
  });

  it('does not ask for what was heard meanwhile', async () => {
    const { clock, asked, found, lookup, contend } = rig();
    lookup.heard(A, owners);
    assert.deepEqual(found, [owners]);
    clock.advance(10_000);
    await contend(A);
    assert.deepEqual(asked, []);
  });

  it('asks one question at a time, and goes on after one that failed', async () => {
    let fail = (_: Error) => {};
    const { asked, found, contend } = rig(
      () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    );
    await contend(A);
    await contend(B);
    assert.deepEqual(asked, [A]);
    fail(new Error('no tracker'));
    await setImmediate();
    await contend(B);
    assert.deepEqual(asked, [A, B]);
    assert.deepEqual(found, [[]]);
  });
});
