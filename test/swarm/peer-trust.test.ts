import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { PeerTrust } from '../../src/swarm/peer-trust.js';
import { FetchRig } from './fetch-rig.js';
import { owner } from './scripted-link.js';

/** A fetcher among peers, and whom it trusts. */
function trusting(owners: ('all' | readonly number[])[], parts = 8) {
  const rig = new FetchRig({ parts, owners });
  const trust = new PeerTrust(rig.book, rig.picker, () => rig.fetcher.pump(), rig.clock);
  rig.fetcher.start();
  return { rig, trust };
}

describe('the trust in peers', () => {
  it('asks nothing more of a peer that is set aside, and takes what has begun to come', () => {
    const { rig, trust } = trusting(['all', []]);
    const [begun, ...others] = rig.underWay[0]!;
    rig.link(0).request(begun!).send(Buffer.from('AREP'));
    trust.setAside(rig.peer(0));
    assert.deepEqual(rig.underWay[0], [begun]);
    assert.deepEqual(rig.link(0).aborted, others);
    rig.link(0).request(begun!).fail('cut');
    rig.clock.advance(5_000);
    assert.deepEqual(rig.underWay[0], []);
    trust.takeBack(rig.peer(0));
    assert.ok(rig.underWay[0]!.length > 0);
    rig.fetcher.stop();
  });

  it('asks others at once for what the peer was asked', () => {
    const { rig, trust } = trusting(['all', 'all'], 4);
    const before = rig.underWay[0]!;
    assert.deepEqual([before.length, rig.underWay[1]!.length], [4, 0]);
    trust.setAside(rig.peer(0));
    assert.deepEqual(
      rig.underWay.map((parts) => parts.length),
      [0, 4],
    );
    rig.fetcher.stop();
  });

  it('relents only when everybody who is left is set aside', () => {
    const { rig, trust } = trusting(['all', 'all', 'all']);
    const aside = () => rig.book.peers.map((peer) => peer.aside);
    trust.setAside(rig.peer(0));
    trust.setAside(rig.peer(1));
    trust.relent();
    assert.deepEqual(aside(), [true, true, false]);
    rig.peer(2).banned = true;
    trust.relent();
    assert.deepEqual(aside(), [false, false, false]);
    rig.fetcher.stop();
  });

  it('has a part fetched from others than those who sent it', () => {
    const { rig, trust } = trusting(['all', 'all', [0, 1]], 2);
    for (const part of [0, 1])
      rig.links
        .find(({ asked }) => asked.includes(part))!
        .request(part)
        .answer(rig.data(part));
    assert.equal(rig.picker.landedCount, 2);
    rig.clock.advance(100);
    assert.equal(trust.fetchFromOthers(1 as PartIndex, new Set([0, 2])), true);
    assert.equal(trust.lostAt, rig.clock.now());
    assert.deepEqual(rig.underWay, [[], [1], []]);
    rig.link(1).request(1).answer(rig.data(1));
    assert.equal(trust.fetchFromOthers(1 as PartIndex, new Set([0, 1, 2])), false, 'there is nobody else');
    assert.equal(rig.picker.landedCount, 2, 'and nothing is lost by asking');
    rig.fetcher.stop();
  });

  it('does not count on others that are banned, not listed, or without the part', () => {
    const { rig, trust } = trusting(['all', 'all', 'all', [0]], 2);
    rig.peer(1).banned = true;
    rig.book.update([owner(0, PartList.full(2)), owner(3, rig.peer(3).named)], rig.clock.now());
    assert.equal(trust.fetchFromOthers(1 as PartIndex, new Set([0])), false);
    rig.fetcher.stop();
  });

  it('takes back those set aside when there are no others', () => {
    const { rig, trust } = trusting(['all', 'all', 'all'], 2);
    for (const part of [0, 1])
      rig.links
        .find(({ asked }) => asked.includes(part))!
        .request(part)
        .answer(rig.data(part));
    for (const peer of rig.book.peers) trust.setAside(peer);
    assert.equal(trust.fetchFromOthers(0 as PartIndex, new Set([0])), true);
    assert.deepEqual(
      rig.book.peers.map(({ aside }) => aside),
      [true, false, false],
    );
    assert.equal(rig.picker.requestsOf(0 as PartIndex), 1);
    rig.fetcher.stop();
  });
});
