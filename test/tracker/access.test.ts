import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FileMd5 } from '../../src/model/ids.js';
import { type Lists, removeDenied } from '../../src/tracker/access.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { fileMd5, peerAddress, sharedFile } from '../contracts/tracker-values.js';
import { distant, EVERYBODY, makeTracker, TrackedPeer } from './tracked-peer.js';

/** Lists that leave out some addresses and files; `named` as those of an allow list cannot be. */
function leavingOut(ips: readonly string[], files: readonly FileMd5[], named = true): Lists {
  return {
    admitsAddress: (ip) => !ips.includes(ip),
    admitsFile: (md5) => !files.includes(md5),
    restrictsAddresses: ips.length > 0,
    deniedFiles: named ? new Set(files) : null,
  };
}

describe('a tracker with lists', () => {
  test('does not register a denied file, nor find it, nor tell its owners', async () => {
    const store = new MemoryStore();
    const open = makeTracker({ store });
    const strict = makeTracker({
      store,
      randomBytes: (count) => new Uint8Array(count).fill(7),
      access: { ...EVERYBODY, ...leavingOut([], [fileMd5(1)]) },
    });
    const elsewhere = new TrackedPeer(open, peerAddress('10.0.0.1'));
    const peer = new TrackedPeer(strict, peerAddress('10.0.0.2'));
    for (const each of [elsewhere, peer]) assert.ok(await each.logIn());
    // Another tracker of the same store admits it.
    for (const n of [1, 2]) assert.equal(await elsewhere.addr(sharedFile(n, `file ${n}`)), 3);
    assert.equal(await peer.addr(sharedFile(1, 'file 1')), null);
    assert.deepEqual(await peer.look('*'), ['file 2']);
    assert.equal(await peer.fchu(sharedFile(1, 'file 1')), null);
    assert.equal(await peer.rpad(fileMd5(1), 0), null);
    assert.equal(await peer.rpad(fileMd5(2), 0), 1);
    assert.equal(strict.stats().refusals.DENIED_FILE, 3);
  });

  test('refuses logins under addresses of denied networks', async () => {
    const access = { ...EVERYBODY, ...leavingOut(['10.0.0.1'], []) };
    const tracker = makeTracker({ access, trustAnnouncedAddresses: true });
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.1'), '10.0.0.9').logIn(), false);
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.2'), '10.0.0.9').logIn(), true);
    assert.equal(tracker.stats().refusals.DENIED_NETWORK, 1);
  });

  test('counts the sessions of the address that the login came from', async () => {
    const asked: string[] = [];
    const termsOf = (ip: string) => {
      asked.push(ip);
      return { network: 'all', sessions: 1, ownerships: 1 };
    };
    const tracker = makeTracker({ access: { ...EVERYBODY, termsOf } });
    const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1'));
    assert.equal(await peer.logIn(), true);
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.2')).logIn(), false);
    assert.deepEqual(asked, ['10.0.0.1', '10.0.0.2']);
    assert.equal(await peer.addr(sharedFile(1, 'a')), 3);
    assert.equal(await peer.addr(sharedFile(2, 'b')), null);
    const { ADDRESS_SESSIONS_FULL, ADDRESS_FILES_FULL } = tracker.stats().refusals;
    assert.deepEqual([ADDRESS_SESSIONS_FULL, ADDRESS_FILES_FULL], [1, 1]);
  });
});

test('an address that can be no host, and port 0, are refused also where announced addresses are trusted', async () => {
  const tracker = makeTracker({ trustAnnouncedAddresses: true });
  const unusable = [
    peerAddress('224.0.0.1'),
    peerAddress('255.255.255.255'),
    peerAddress('0.0.0.1'),
    peerAddress('10.0.0.1', 5000, 'ff02::1'),
    peerAddress(null, 5000, 'ff0e::1'),
    peerAddress('10.0.0.2', 0),
  ];
  for (const address of unusable) assert.equal(await new TrackedPeer(tracker, address).logIn(), false);
  assert.equal(tracker.stats().refusals.UNUSABLE_ADDRESS, unusable.length);
  const announced = peerAddress('10.0.0.1', 5000, 'ff02::1');
  const checking = makeTracker();
  assert.equal(
    await new TrackedPeer(checking, announced, '10.0.0.1').logIn(),
    false,
    'one good half is not enough',
  );
  assert.equal(checking.stats().refusals.UNUSABLE_ADDRESS, 1);
});

for (const [kind, store] of [
  ['answers in the same turn', () => new MemoryStore()],
  ['answers later', () => distant(new MemoryStore())],
] as const) {
  describe(`clearing a store that ${kind}`, () => {
    const populated = async () => {
      const all = store();
      const tracker = makeTracker({ store: all });
      const peers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(
        (ip) => new TrackedPeer(tracker, peerAddress(ip)),
      );
      for (const [n, peer] of peers.entries()) {
        await peer.logIn();
        await peer.addr(sharedFile(n, `file ${n}`));
      }
      return { all, peers };
    };

    test('takes the sessions of denied addresses, with all they own', async () => {
      const { all, peers } = await populated();
      const removed = await removeDenied(all, leavingOut(['10.0.0.1', '10.0.0.3'], []));
      assert.deepEqual(removed, { sessions: 2, files: 0 });
      assert.equal(await peers[0]!.look('*'), null);
      assert.deepEqual(await peers[1]!.look('*'), ['file 1']);
      assert.deepEqual([all.stats().sessions, all.stats().files], [1, 1]);
    });

    test('takes denied files from all their owners, named or not', async () => {
      for (const named of [true, false]) {
        const { all, peers } = await populated();
        await peers[0]!.rpad(fileMd5(2), 0);
        const many = Array.from({ length: 50 }, (_, n) => fileMd5(100 + n));
        for (const files of [[fileMd5(2)], [fileMd5(1), ...many]]) {
          assert.deepEqual(await removeDenied(all, leavingOut([], files, named)), { sessions: 0, files: 1 });
        }
        assert.deepEqual(await peers[2]!.look('*'), ['file 0']);
        assert.equal(all.stats().ownerships, 1);
      }
    });

    test('leaves everything where nothing is denied', async () => {
      const { all } = await populated();
      assert.deepEqual(await removeDenied(all, leavingOut([], [])), { sessions: 0, files: 0 });
      assert.deepEqual([all.stats().sessions, all.stats().files], [3, 3]);
    });
  });
}

test('a session is judged by the halves of its address that are proven', async () => {
  const store = new MemoryStore();
  const tracker = makeTracker({ store });
  const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1', 5000, 'fd77::1'));
  await peer.logIn();
  assert.equal((await removeDenied(store, leavingOut(['fd77::1'], []))).sessions, 0);
  peer.ip = 'fd77::1';
  await peer.look('*');
  assert.equal((await removeDenied(store, leavingOut(['fd77::1'], []))).sessions, 1);
});
