import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { FileMd5 } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { encodeAmid } from '../../src/protocol/encode.js';
import { MidstateLists } from '../../src/swarm/midstate-lists.js';
import { PeerBook } from '../../src/swarm/peer-book.js';
import { seededBytes } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { owner, ScriptedLink } from './scripted-link.js';

const PARTS = 5;
const MD5 = '0123456789abcdef0123456789abcdef' as FileMd5;
const states = seededBytes('states', 16 * (PARTS - 1));

/** Owners, and the lists asked of them. */
function asking(count: number) {
  const clock = new ManualClock();
  const links: ScriptedLink[] = [];
  const book = new PeerBook(() => {
    const link = new ScriptedLink();
    links.push(link);
    return link;
  });
  const owners = Array.from({ length: count }, (_, n) => owner(n, PartList.full(PARTS)));
  book.update(owners, 0);
  const lists = new MidstateLists(MD5, PARTS, () => book.peers, clock);
  return {
    clock,
    links,
    book,
    owners,
    lists,
    asked: () => links.map(({ askedForList }) => askedForList),
    /** What the n-th peer is asked right now. */
    request: (n: number) => links[n]!.requests[0]!,
    close: () => {
      assert.deepEqual(clock.pending, []);
      for (const { requests } of links) assert.equal(requests.length, 0);
    },
  };
}

describe('the lists of midstates', () => {
  it('are asked of one owner after the other, each once', async () => {
    const { lists, request, asked, close } = asking(3);
    const first = lists.next();
    assert.deepEqual(asked(), [1, 0, 0]);
    request(0).send(encodeAmid(states));
    const list = await first;
    assert.equal(list!.source, 0);
    assert.ok(states.equals(list!.states));
    assert.deepEqual(Buffer.from(list!.after(PARTS - 1)).toString('hex'), MD5);
    const second = lists.next();
    request(1).fail('refused');
    await setImmediate();
    assert.deepEqual(asked(), [1, 1, 1]);
    request(2).send(encodeAmid(states));
    assert.equal((await second)!.source, 2);
    assert.equal(await lists.next(), null);
    assert.deepEqual([asked(), lists.asked], [[1, 1, 1], 3]);
    close();
  });

  it('are not asked of who is not listed, banned, or has not the whole file; of who is aside last', async () => {
    const { lists, book, owners, asked, request, close } = asking(5);
    const part = PartList.empty(PARTS);
    part.add(1);
    book.update([...owners.slice(1), owner(7, part)], 1);
    book.peers[1]!.banned = true;
    book.peers[2]!.aside = true;
    const first = lists.next();
    assert.deepEqual(asked(), [0, 0, 0, 1, 0, 0]);
    request(3).fail('refused');
    await setImmediate();
    request(4).fail('connect');
    await setImmediate();
    assert.deepEqual(asked(), [0, 0, 1, 1, 1, 0]);
    request(2).send(encodeAmid(states));
    assert.equal((await first)!.source, 2);
    assert.equal(await lists.next(), null);
    close();
  });

  it('are asked of somebody else as well after 500 ms, and who comes late is the next', async () => {
    const { lists, clock, asked, request, close } = asking(3);
    const first = lists.next();
    clock.advance(499);
    await setImmediate();
    assert.deepEqual(asked(), [1, 0, 0]);
    clock.advance(1);
    await setImmediate();
    assert.deepEqual(asked(), [1, 1, 0]);
    request(1).send(encodeAmid(states));
    assert.equal((await first)!.source, 1);
    request(0).send(encodeAmid(states));
    await setImmediate();
    assert.equal((await lists.next())!.source, 0);
    assert.deepEqual(asked(), [1, 1, 0]);
    close();
  });

  it('are given up after 10 s of silence', async () => {
    const { lists, clock, links, close } = asking(2);
    const first = lists.next();
    for (let half = 0; half < 21; half++) {
      clock.advance(500);
      await setImmediate();
    }
    assert.equal(await first, null);
    for (const { requests } of links) assert.equal(requests.length, 0);
    close();
  });

  it('end with all requests when they are stopped', async () => {
    const { lists, clock, request, asked, close } = asking(3);
    const first = lists.next();
    clock.advance(500);
    await setImmediate();
    request(0).send(encodeAmid(states).subarray(0, 40));
    lists.stop();
    assert.equal(await first, null);
    assert.equal(await lists.next(), null);
    assert.deepEqual(asked(), [1, 1, 0]);
    close();
  });

  it('are of the right length or none', async () => {
    for (const wrong of [states.subarray(16), Buffer.concat([states, states])]) {
      const { lists, request, close } = asking(1);
      const first = lists.next();
      request(0).send(encodeAmid(wrong));
      assert.equal(await first, null);
      close();
    }
  });
});
