import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeAddress } from '../../src/model/address.js';
import type { PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { type Peer, PeerBook, type Rarity } from '../../src/swarm/peer-book.js';
import { addressOf, owner, ScriptedLink } from './scripted-link.js';

const PARTS = 8;

function listOf(...parts: number[]): PartList {
  const list = PartList.empty(PARTS);
  for (const part of parts) list.add(part);
  return list;
}

/** How many listed owners each part has. */
class Counts implements Rarity {
  readonly owners = Array<number>(PARTS).fill(0);

  ownerAdded(parts: PartList): void {
    for (const part of parts) this.owners[part]!++;
  }

  ownerRemoved(parts: PartList): void {
    for (const part of parts) this.owners[part]!--;
  }
}

function book() {
  const links: ScriptedLink[] = [];
  const connected: NodeAddress[] = [];
  const peers = new PeerBook((address) => {
    connected.push(address);
    const link = new ScriptedLink();
    links.push(link);
    return link;
  });
  const counts = new Counts();
  peers.countIn(counts);
  return { peers, links, connected, counts };
}

/** A book of one peer, and that peer. */
function onePeer() {
  const { peers, ...rest } = book();
  peers.update([owner(0, PartList.full(PARTS))], 0);
  return { peers, peer: peers.peers[0]!, ...rest };
}

describe('a peer book', () => {
  it('makes one peer of each address, numbered in order of first sight', () => {
    const { peers, connected } = book();
    peers.update([owner(3, listOf(0)), owner(1, listOf(1)), owner(3, listOf(0))], 0);
    peers.update([owner(2, listOf(2)), owner(1, listOf(1)), owner(3, listOf(0))], 1);
    assert.deepEqual(
      peers.peers.map(({ id, address }) => [id, address]),
      [3, 1, 2].map((n, id) => [id, addressOf(n)]),
    );
    assert.deepEqual(connected, [3, 1, 2].map(addressOf));
  });

  it('counts the parts of an owner exactly while it is listed', () => {
    const { peers, counts } = book();
    peers.update([owner(0, listOf(0, 1)), owner(1, listOf(1))], 0);
    assert.deepEqual(counts.owners, [1, 2, 0, 0, 0, 0, 0, 0]);
    peers.update([owner(0, listOf(0, 1, 2)), owner(1, listOf(1))], 1);
    assert.deepEqual(counts.owners, [1, 2, 1, 0, 0, 0, 0, 0], 'a list grows');
    peers.update([owner(0, listOf(2))], 2);
    assert.deepEqual(counts.owners, [0, 0, 1, 0, 0, 0, 0, 0], 'a list shrinks, an owner is gone');
    peers.update([], 3);
    assert.deepEqual(counts.owners, Array(PARTS).fill(0));
    peers.update([owner(1, listOf(7))], 4);
    assert.deepEqual(counts.owners, [0, 0, 0, 0, 0, 0, 0, 1], 'an owner comes back');
  });

  it('keeps a peer that is not named any more, unlisted and not asked', () => {
    const { peers, peer } = onePeer();
    peers.update([], 1);
    assert.equal(peers.peers[0], peer);
    assert.equal(peer.usable(1), false);
    peers.update([owner(0, listOf(4))], 2);
    assert.equal(peers.peers[0], peer);
    assert.equal(peer.usable(2), true);
    assert.ok(peer.parts.has(4) && !peer.parts.has(0));
  });

  it('leaves out owners without any address, and addresses beyond 4,096', () => {
    const { peers } = book();
    peers.update([{ address: { v4: null, v6: null, port: 5000 }, parts: listOf(0) }], 0);
    assert.equal(peers.peers.length, 0);
    const many = Array.from({ length: 4_200 }, (_, n) => ({
      address: { v4: '10.1.1.1', v6: null, port: n + 1 },
      parts: listOf(0),
    }));
    peers.update(many, 1);
    assert.equal(peers.peers.length, 4_096);
  });

  it('counts the owners it has in a picker that comes later', () => {
    const { peers } = book();
    peers.update([owner(0, listOf(0, 1)), owner(1, listOf(1))], 0);
    peers.update([owner(1, listOf(1))], 1);
    const later = new Counts();
    peers.countIn(later);
    assert.deepEqual(later.owners, [0, 1, 0, 0, 0, 0, 0, 0]);
  });

  it('knows what may stand behind the bytes in a salted id, of every owner ever seen', () => {
    const { peers } = book();
    const address = (v4: string | null, v6: string | null) => ({ v4, v6, port: 5000 });
    const both = { address: address('172.16.1.2', 'fd77::2'), parts: listOf(0) };
    const same = { address: { ...both.address, port: 5001 }, parts: listOf(0) };
    peers.update([both, same, { address: address('10.0.0.7', null), parts: listOf(0) }], 0);
    peers.update([{ address: address(null, 'fd77::9'), parts: listOf(0) }], 1);
    assert.deepEqual(peers.saltSuffixes(), [
      '172.16.1.2fd77::2',
      '10.0.0.7::ffff:10.0.0.7',
      '10.0.0.7',
      'fd77::9',
    ]);
  });

  it('does not ask some senders for a part, and counts it as theirs still', () => {
    const { peers, counts } = book();
    peers.update([owner(0, PartList.full(PARTS)), owner(1, listOf(2, 3))], 0);
    const [one, two] = peers.peers as [Peer, Peer];
    peers.exclude(2 as PartIndex, new Set([0, 1]));
    assert.deepEqual([one.parts.has(2), two.parts.has(2), two.parts.has(3)], [false, false, true]);
    assert.deepEqual([one.named.has(2), one.complete], [true, true]);
    assert.deepEqual(counts.owners, [1, 1, 2, 2, 1, 1, 1, 1]);
    peers.update([owner(0, PartList.full(PARTS)), owner(1, listOf(2, 3, 4))], 1);
    assert.deepEqual([one.parts.has(2), two.parts.has(2), two.parts.has(4)], [false, false, true]);
    peers.exclude(2 as PartIndex, new Set([1]));
    assert.deepEqual([one.parts.has(2), two.parts.has(2)], [true, false], 'others now');
    peers.exclude(3 as PartIndex, new Set([1]));
    assert.deepEqual([...two.parts], [4]);
    peers.update([], 2);
    peers.exclude(4 as PartIndex, new Set([0, 1]));
    assert.equal(one.listed || two.listed, false, 'nobody is listed by it');
    assert.deepEqual(counts.owners, Array(PARTS).fill(0));
    peers.update([owner(1, listOf(2, 3, 4, 5))], 3);
    assert.deepEqual([...two.parts], [5]);
  });

  it('forgives everybody but the banned', () => {
    const { peers } = book();
    peers.update([owner(0, listOf(1, 2)), owner(1, listOf(1, 2))], 0);
    const [one, two] = peers.peers as [Peer, Peer];
    peers.exclude(1 as PartIndex, new Set([0]));
    one.aside = true;
    two.banned = true;
    peers.forgive();
    assert.deepEqual([one.usable(0), two.usable(0), [...one.parts]], [true, false, [1, 2]]);
  });

  it('closes all connections', () => {
    const { peers, links } = book();
    peers.update([owner(0, listOf(0)), owner(1, listOf(1))], 0);
    peers.close();
    assert.deepEqual(
      links.map(({ closed }) => closed),
      [true, true],
    );
  });
});

describe('a peer', () => {
  it('rests for 60 s after a refusal, also when a request fails meanwhile', () => {
    const { peer } = onePeer();
    peer.refused(1_000);
    peer.failed(1_500);
    assert.equal(peer.usable(60_999), false);
    assert.equal(peer.usable(61_000), true);
  });

  it('rests longer for each failure behind the rest before, and for 2 s again after a success', () => {
    const { peer } = onePeer();
    for (const rest of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      peer.failed(rest * 100);
      peer.failed(rest * 100 + 1);
      assert.equal(peer.usable(rest * 100 + rest - 1), false);
      assert.equal(peer.usable(rest * 100 + rest), true);
    }
    peer.succeeded();
    peer.failed(10_000_000);
    assert.equal(peer.usable(10_002_000), true);
  });

  it('is not asked while it is set aside', () => {
    const { peer } = onePeer();
    peer.aside = true;
    assert.equal(peer.usable(0), false);
    peer.aside = false;
    assert.equal(peer.usable(0), true);
  });

  it('is never asked again after its third breach, also when all come at once', () => {
    const { peer } = onePeer();
    peer.breached(0);
    peer.breached(0);
    assert.equal(peer.usable(2_000), true);
    peer.breached(0);
    assert.equal(peer.usable(1_000_000_000), false);
  });

  it('has a rate that follows what arrives, within seconds', () => {
    const { peer } = onePeer();
    const measure = (seconds: number, bytesPerSecond: number, from: number) => {
      for (let now = from + 500; now <= from + seconds * 1000; now += 500) {
        peer.bytes += bytesPerSecond / 2;
        peer.measure(now);
      }
    };
    measure(1, 1_000_000, 0);
    assert.equal(peer.rate, 1_000_000);
    peer.measure(1_000);
    assert.equal(peer.rate, 1_000_000, 'no time passed');
    measure(5, 100_000, 1_000);
    assert.ok(peer.rate > 200_000 && peer.rate < 500_000, `${peer.rate}`);
    measure(20, 100_000, 6_000);
    assert.ok(peer.rate < 110_000, `${peer.rate}`);
    measure(20, 0, 26_000);
    assert.ok(peer.rate > 100_000, 'it had nothing to do');
  });
});
