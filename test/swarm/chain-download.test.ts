import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededBytes } from '../support/files.js';
import { ChainSwarm, forgedAt, garbageIn, PART, type Sharer } from './chain-swarm.js';
import { isSilent, sends } from './download-rig.js';
import { midstatesOf } from './midstates.js';

const PARTS = 200;
const content = seededBytes('chained', PARTS * PART - 321);
const states = midstatesOf(content, PART);
const honest: Sharer = {};
const garbage = garbageIn(content, 'a liar');

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const times = (count: number, sharer: Sharer): Sharer[] => Array.from({ length: count }, () => sharer);
const sorted = (parts: Iterable<number>) => [...parts].sort((a, b) => a - b);

describe('a download with midstates', () => {
  it('verifies every part when it lands, by the list of one owner', async () => {
    const swarm = new ChainSwarm(content, [honest, honest, honest]).start();
    assert.equal(await swarm.proof(), 'midstates');
    swarm.assertRight([]);
    swarm.assertMarked();
    assert.deepEqual(sorted(swarm.owned), numbers(0, PARTS));
    assert.equal(swarm.fetchedShare, 1);
    assert.equal(swarm.disk.tasks.hash, 0);
    assert.ok(swarm.disk.bytesReadBack <= 12 * PART, 'only what landed before the list is read back');
    assert.deepEqual(
      swarm.links.map(({ askedForList }) => askedForList),
      [1, 0, 0],
    );
    assert.ok(states.equals(swarm.download.midstates!));
  });

  it('fetches the last part first, since it proves the list', async () => {
    const swarm = new ChainSwarm(content, [honest]).start();
    await swarm.proof();
    assert.equal(swarm.links[0]!.asked[0], PARTS - 1);
  });

  it('serves a part when it is verified, not before', async () => {
    const bungled = sends(garbageIn(content, 'a bungler', [3]), PART);
    const swarm = new ChainSwarm(content, [
      { parts: (request) => (request.part < 9 || request.part > 180 ? bungled(request) : undefined) },
      { parts: isSilent },
    ]).start();
    await swarm.pass(2_000, () => swarm.stored.has(3));
    const linked = numbers(0, PARTS).filter((part) => swarm.download.has(part as never));
    assert.deepEqual(
      linked,
      [...swarm.stored].filter((part) => part !== 3),
    );
    assert.deepEqual(sorted(swarm.owned), linked);
    assert.equal(swarm.download.midstates, null);
    swarm.interrupt();
    await swarm.error();
  });
});

describe('ten owners', () => {
  /** As many as a download aims at with so many owners. */
  const connections = 1;
  const smart = garbageIn(content, 'a smart liar', numbers(0, PARTS - 20));
  const lists: Record<string, Buffer> = {
    'a right list': states,
    'a list of nothing but garbage': seededBytes('a forged list', states.length),
    'one wrong state in a list': forgedAt(states, 77),
    'a list with a wrong last state': forgedAt(states, PARTS - 1),
    'a list with a wrong first state': forgedAt(states, 1),
    'a list of garbage but for its end': Buffer.concat([
      midstatesOf(smart, PART).subarray(0, 16 * (PARTS - 20)),
      states.subarray(16 * (PARTS - 20)),
    ]),
    'the list of its own garbage': midstatesOf(garbage, PART),
  };

  for (const [what, list] of Object.entries(lists)) {
    const lies = list !== states;
    it(`of whom one sends garbage and, asked first, ${what}`, async () => {
      for (const data of [garbage, smart]) {
        const swarm = new ChainSwarm(content, [{ data, list }, ...times(9, honest)], { connections }).start();
        assert.equal(await swarm.proof(), 'midstates');
        swarm.assertRight([0]);
        assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
      }
    });

    it(`of whom one sends garbage and another one, asked first, ${what}`, async () => {
      for (const data of [garbage, smart]) {
        const swarm = new ChainSwarm(content, [{ list }, honest, { data }, ...times(7, honest)], {
          connections,
        }).start();
        assert.equal(await swarm.proof(), 'midstates');
        swarm.assertRight(lies ? [0, 2] : [2]);
        assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
      }
    });

    it(`of whom one sends garbage and, asked last, ${what}`, async () => {
      const swarm = new ChainSwarm(content, [...times(9, honest), { data: garbage, list }], {
        connections,
      }).start();
      assert.equal(await swarm.proof(), 'midstates');
      swarm.assertRight([9]);
      assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
    });

    it(`of whom two send the same garbage and, asked first, ${what}`, async () => {
      for (const data of [garbage, smart]) {
        const swarm = new ChainSwarm(content, [...times(2, { data, list }), ...times(8, honest)], {
          connections,
        }).start();
        assert.equal(await swarm.proof(), 'midstates');
        swarm.assertRight([0, 1]);
        assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
      }
    });

    if (!lies) continue;
    it(`of whom the first that is asked sends ${what}`, async () => {
      const swarm = new ChainSwarm(content, [{ list }, ...times(9, honest)], { connections }).start();
      assert.equal(await swarm.proof(), 'midstates');
      swarm.assertRight([0]);
      assert.ok(swarm.fetchedShare <= 1.15, `${swarm.fetchedShare}`);
    });
  }
});
