import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type FileQuery, parseFileQuery } from '../../src/model/file-query.js';
import type { SessionId } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';
import { provenBy } from '../../src/tracker/address-proof.js';
import { STORE_LIMITS, type StoreLimits } from '../../src/tracker/limits.js';
import type { Caller, TrackerStore } from '../../src/tracker/store.js';
import { ownerOf } from '../support/owner-records.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from './tracker-values.js';

export interface MadeStore {
  readonly store: TrackerStore;
  /** Ends the store and leaves nothing open. */
  close(): Promise<void>;
}

/** An empty store that keeps to the given limits. */
export type MakeStore = (limits: StoreLimits) => Promise<MadeStore>;

/** What every tracker store must do, whatever it keeps its state in. */
export function trackerStoreContract(name: string, makeStore: MakeStore): void {
  const open = async (t: TestContext, limits: Partial<StoreLimits> = {}) => {
    const { store, close } = await makeStore({ ...STORE_LIMITS, ...limits });
    t.after(close);
    return new Population(store);
  };

  describe(`${name}: sessions`, () => {
    test('the same 60 bytes get the same SessionID while the session lives', async (t) => {
      const all = await open(t);
      const first = await all.logIn('10.0.0.1', 5000);
      assert.equal((await all.logIn('10.0.0.1', 5000)).session, first.session);
      await all.store.logOut(first);
      assert.notEqual((await all.logIn('10.0.0.1', 5000)).session, first.session);
    });

    test('another port, and another IPv6 half, are other sessions', async (t) => {
      const all = await open(t);
      const sessions = new Set([
        (await all.logIn('10.0.0.1', 5000)).session,
        (await all.logIn('10.0.0.1', 5001)).session,
        (await all.logIn('10.0.0.1', 5000, 'fd77::1')).session,
        (await all.logIn('10.0.0.1', 5000, 'fd77::2')).session,
      ]);
      assert.equal(sessions.size, 4);
      assert.equal(all.store.stats().sessions, 4);
    });

    test('a SessionID that another session has is not given twice', async (t) => {
      const { store } = await open(t);
      const login = { proven: 1, candidate: sessionId(1), now: 0 } as const;
      assert.deepEqual(await store.logIn({ ...login, address: peerAddress('10.0.0.1') }), {
        session: sessionId(1),
      });
      assert.equal(await store.logIn({ ...login, address: peerAddress('10.0.0.2') }), 'SESSION_ID_TAKEN');
    });

    test('an unknown session is refused by every method', async (t) => {
      const { store } = await open(t);
      const nobody = { session: sessionId(99), ip: '10.0.0.1', now: 0 };
      const query: FileQuery = { name: '', md5Prefix: null };
      assert.equal(await store.addFile(nobody, sharedFile(1, 'a')), 'UNKNOWN_SESSION');
      assert.equal(await store.findFiles(nobody, query, 9), 'UNKNOWN_SESSION');
      assert.equal(await store.findFiles(nobody, null, 9), 'UNKNOWN_SESSION');
      assert.equal(await store.findOwners(nobody, fileMd5(1)), 'UNKNOWN_SESSION');
      assert.equal(await store.addPart(nobody, fileMd5(1), 0), 'UNKNOWN_SESSION');
      assert.equal(await store.giveUpFile(nobody, fileMd5(1)), 'UNKNOWN_SESSION');
      assert.equal(await store.logOut(nobody), 'UNKNOWN_SESSION');
      assert.equal(await store.dropSession(nobody.session, 1e9), false);
      await store.keepSession(nobody.session, 1);
      assert.equal(store.stats().sessions, 0);
    });

    test('a half of the address is proven by a request or a login that comes from it, and stays so', async (t) => {
      const all = await open(t);
      const file = sharedFile(1, 'a');
      const asker = await all.logIn('10.0.0.9');
      const proofOf = async () => (await all.owners(asker, file)).map(({ address }) => address.v6);
      const peer = await all.logIn('10.0.0.1', 5000, 'fd77::1');
      await all.store.addFile(peer, file);
      assert.deepEqual(await proofOf(), [null]);
      await all.store.addPart({ ...peer, ip: '10.0.0.77' }, file.md5, 0);
      assert.deepEqual(await proofOf(), [null], 'an address that is neither half proves nothing');
      await all.store.addPart({ ...peer, ip: 'fd77::1' }, fileMd5(7), 0);
      assert.deepEqual(await proofOf(), ['fd77::1'], 'a refused request proves as well');

      const other = await all.logIn('10.0.0.2', 5000, 'fd77::2');
      await all.store.addFile(other, file);
      assert.deepEqual(await proofOf(), ['fd77::1', null]);
      await all.store.logIn({
        address: peerAddress('10.0.0.2', 5000, 'fd77::2'),
        proven: 2,
        candidate: sessionId(500),
        now: 0,
      });
      assert.deepEqual(await proofOf(), ['fd77::1', 'fd77::2']);
    });

    test('the longest silent sessions come first; a login, a request and a probe are signs of life', async (t) => {
      const all = await open(t);
      const [a, b, c, d] = [
        await all.logIn('10.0.0.1', 5000, null, 100),
        await all.logIn('10.0.0.2', 5000, null, 200),
        await all.logIn('10.0.0.3', 5000, null, 300),
        await all.logIn('10.0.0.4', 5000, null, 400),
      ];
      const silent = async (since: number, limit = 9) =>
        (await all.store.silentSessions(since, limit)).map(({ session, heard }) => [session, heard]);
      assert.deepEqual(await silent(99), []);
      assert.deepEqual(await silent(300), [
        [a.session, 100],
        [b.session, 200],
        [c.session, 300],
      ]);
      assert.deepEqual(await silent(300, 2), [
        [a.session, 100],
        [b.session, 200],
      ]);
      await all.logIn('10.0.0.1', 5000, null, 500);
      await all.store.addPart({ ...b, now: 600 }, fileMd5(1), 0);
      await all.store.keepSession(c.session, 700);
      assert.deepEqual(await silent(800), [
        [d.session, 400],
        [a.session, 500],
        [b.session, 600],
        [c.session, 700],
      ]);
    });

    test('a silent session says which address it announced and what of it is proven', async (t) => {
      const all = await open(t);
      await all.logIn('10.0.0.1', 5001, 'fd77::1');
      const [silent] = await all.store.silentSessions(0, 9);
      assert.deepEqual(silent?.address, peerAddress('10.0.0.1', 5001, 'fd77::1'));
      assert.equal(silent?.proven, 1);
    });

    test('a session is dropped, sourced files or not, unless it was heard meanwhile', async (t) => {
      const all = await open(t);
      const file = sharedFile(1, 'a');
      const asker = await all.logIn('10.0.0.9');
      const peer = await all.logIn('10.0.0.1', 5000, null, 100);
      await all.store.addFile({ ...peer, now: 200 }, file);
      assert.equal(await all.store.dropSession(peer.session, 199), false);
      assert.equal((await all.owners(asker, file)).length, 1);
      assert.equal(await all.store.dropSession(peer.session, 200), true);
      assert.equal(await all.store.dropSession(peer.session, 200), false);
      assert.equal(await all.store.findOwners(asker, file.md5), 'UNKNOWN_FILE');
      assert.deepEqual(all.store.stats(), { sessions: 1, files: 0, ownerships: 0, partListBytes: 0 });
    });
  });

  describe(`${name}: files`, () => {
    test('the first registration fixes the geometry; another LenPart gets its part count', async (t) => {
      const all = await open(t);
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      assert.equal(await all.store.addFile(a, sharedFile(1, 'a', 3, 1000)), 3);
      assert.equal(await all.store.addFile(b, sharedFile(1, 'a', 6, 500)), 3);
      assert.deepEqual(await all.look(b, '*'), [sharedFile(1, 'a', 3, 1000)]);
      assert.deepEqual(await all.partsOf(a, sharedFile(1, 'a')), [['10.0.0.2', [0, 1, 2]]]);
    });

    test('another LenFile is refused and makes nobody an owner', async (t) => {
      const all = await open(t);
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      await all.store.addFile(a, sharedFile(1, 'a', 3, 1000));
      assert.equal(await all.store.addFile(b, sharedFile(1, 'a', 2, 1000)), 'OTHER_SIZE');
      assert.equal(await all.store.addFile(a, sharedFile(1, 'a', 2, 1000)), 'OTHER_SIZE');
      assert.deepEqual(await all.owners(a, sharedFile(1, 'a')), []);
    });

    test('only a source can rename a file while a source lives', async (t) => {
      const all = await open(t);
      const [source, second, leech] = [
        await all.logIn('10.0.0.1'),
        await all.logIn('10.0.0.2'),
        await all.logIn('10.0.0.3'),
      ];
      const nameNow = async () => (await all.look(source, '*')).map((file) => file.name);
      await all.store.addFile(source, sharedFile(1, 'first'));
      await all.store.addFile(source, sharedFile(1, 'by its source'));
      assert.deepEqual(await nameNow(), ['by its source']);
      await all.store.addFile(second, sharedFile(1, 'by a new sharer'));
      assert.deepEqual(await nameNow(), ['by its source']);
      await all.store.addFile(second, sharedFile(1, 'by the second source'));
      assert.deepEqual(await nameNow(), ['by the second source']);
      for (const part of [0, 1, 2]) await all.store.addPart(leech, fileMd5(1), part);
      await all.store.addFile(leech, sharedFile(1, 'by a complete owner'));
      assert.deepEqual(await nameNow(), ['by the second source']);
    });

    test('whoever registers a file without a living source names it', async (t) => {
      const all = await open(t);
      const [source, leech, sharer] = [
        await all.logIn('10.0.0.1'),
        await all.logIn('10.0.0.2'),
        await all.logIn('10.0.0.3'),
      ];
      await all.store.addFile(source, sharedFile(1, 'first', 3, 1000));
      await all.store.addPart(leech, fileMd5(1), 0);
      await all.store.dropSession(source.session, 1e9);
      assert.equal(await all.store.addFile(sharer, sharedFile(1, 'second', 6, 500)), 3);
      assert.deepEqual(await all.look(leech, '*'), [sharedFile(1, 'second', 3, 1000)]);
      assert.deepEqual(await all.look(leech, 'first'), [], 'it is no longer found under the old name');
    });

    test('an incomplete owner that registers the file owns all of it', async (t) => {
      const all = await open(t);
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 9);
      await all.store.addFile(source, file);
      await all.store.addPart(leech, file.md5, 4);
      assert.ok(all.store.stats().partListBytes > 0);
      await all.store.addFile(leech, file);
      assert.deepEqual(await all.partsOf(source, file), [['10.0.0.2', [0, 1, 2, 3, 4, 5, 6, 7, 8]]]);
      assert.equal(await all.store.addPart(leech, file.md5, 4), 9);
      assert.deepEqual(all.store.stats(), { sessions: 2, files: 1, ownerships: 2, partListBytes: 0 });
    });

    test('an empty file has sources, no parts', async (t) => {
      const all = await open(t);
      const [source, other] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'empty', 0);
      assert.equal(await all.store.addFile(source, file), 0);
      assert.deepEqual(await all.partsOf(other, file), [['10.0.0.1', []]]);
      assert.equal(await all.store.addPart(other, file.md5, 0), 'PART_OUT_OF_RANGE');
      assert.deepEqual(await all.store.logOut(source), { left: true, parts: 0 });
      assert.equal(all.store.stats().files, 0);
    });

    test('a file is found by any part of its name in any case, by a prefix of its id, and by *', async (t) => {
      const all = await open(t);
      const peer = await all.logIn('10.0.0.1');
      const dune = sharedFile(1, 'Dune — Kapitel Eins.MKV');
      const ubuntu = sharedFile(2, 'ubuntu-24.04.iso');
      const hex = sharedFile(3, 'firmware 0000000000 final');
      for (const file of [dune, ubuntu, hex]) await all.store.addFile(peer, file);
      assert.deepEqual(await all.look(peer, 'kapitel eins'), [dune]);
      assert.deepEqual(await all.look(peer, '  UBUNTU '), [ubuntu]);
      assert.deepEqual(await all.look(peer, '.'), [dune, ubuntu]);
      assert.deepEqual(await all.look(peer, 'u*'), []);
      assert.deepEqual(await all.look(peer, '*'), [dune, ubuntu, hex]);
      assert.deepEqual(await all.look(peer, ''), []);
      assert.deepEqual(await all.look(peer, '   '), []);
      assert.deepEqual(
        await all.look(peer, '00000000'),
        [dune, ubuntu, hex],
        'names and ids are both searched',
      );
      assert.deepEqual(await all.look(peer, '0000000'), [hex], 'seven digits are no id');
      assert.deepEqual(await all.look(peer, '000000000000000000000'), [], '21 digits are no id');
    });

    test('of too many matches those with the most owners come, most owners first', async (t) => {
      const all = await open(t);
      const [a, b, c] = [
        await all.logIn('10.0.0.1'),
        await all.logIn('10.0.0.2'),
        await all.logIn('10.0.0.3'),
      ];
      const files = [1, 2, 3, 4, 5].map((n) => sharedFile(n, `file ${n}`));
      for (const file of files) await all.store.addFile(a, file);
      await all.store.addPart(b, fileMd5(4), 1);
      await all.store.addPart(b, fileMd5(2), 1);
      await all.store.addPart(c, fileMd5(2), 1);
      const names = async (limit: number) => (await all.mostOwned(a, 'file', limit)).map((file) => file.name);
      assert.deepEqual(await names(1), ['file 2']);
      assert.deepEqual(await names(2), ['file 2', 'file 4']);
      assert.equal((await names(4)).length, 4);
      assert.deepEqual((await names(4)).slice(0, 2), ['file 2', 'file 4']);
      assert.equal((await names(5)).length, 5);
      assert.deepEqual((await names(9)).slice(0, 2), ['file 2', 'file 4']);
    });
  });

  describe(`${name}: parts`, () => {
    test('each part counts once and makes its owner known to others, never to itself', async (t) => {
      const all = await open(t);
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 10);
      await all.store.addFile(source, file);
      assert.deepEqual(await all.owners(source, file), []);
      assert.equal(await all.store.addPart(leech, file.md5, 9), 1);
      assert.equal(await all.store.addPart(leech, file.md5, 0), 2);
      assert.equal(await all.store.addPart(leech, file.md5, 9), 2);
      assert.deepEqual(await all.partsOf(source, file), [['10.0.0.2', [0, 9]]]);
      assert.deepEqual(await all.partsOf(leech, file), [['10.0.0.1', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]]);
      assert.equal(await all.store.addPart(source, file.md5, 3), 10, 'a source owns all already');
    });

    test('the last part of all makes a complete owner, which costs no part list', async (t) => {
      const all = await open(t);
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 9);
      await all.store.addFile(source, file);
      for (let part = 0; part < 9; part += 1)
        assert.equal(await all.store.addPart(leech, file.md5, part), part + 1);
      assert.equal(await all.store.addPart(leech, file.md5, 5), 9);
      assert.equal(all.store.stats().partListBytes, 0);
      assert.deepEqual(await all.partsOf(source, file), [['10.0.0.2', [0, 1, 2, 3, 4, 5, 6, 7, 8]]]);
    });

    test('an unknown file and a part that it does not have are refused', async (t) => {
      const all = await open(t);
      const peer = await all.logIn('10.0.0.1');
      await all.store.addFile(peer, sharedFile(1, 'a', 3));
      assert.equal(await all.store.addPart(peer, fileMd5(2), 0), 'UNKNOWN_FILE');
      assert.equal(await all.store.findOwners(peer, fileMd5(2)), 'UNKNOWN_FILE');
      assert.equal(await all.store.addPart(peer, fileMd5(1), 3), 'PART_OUT_OF_RANGE');
      assert.equal(await all.store.addPart(peer, fileMd5(1), 99_999_999), 'PART_OUT_OF_RANGE');
    });
  });

  describe(`${name}: withdrawing`, () => {
    test('a source that withdraws a file owns nothing of it and keeps its other files', async (t) => {
      const all = await open(t);
      const [source, other] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const [one, two] = [sharedFile(1, 'one', 4), sharedFile(2, 'two', 2)];
      for (const file of [one, two]) for (const peer of [source, other]) await all.store.addFile(peer, file);
      assert.equal(await all.store.giveUpFile(source, one.md5), 4);
      assert.deepEqual(await all.owners(other, one), []);
      assert.deepEqual(await all.partsOf(other, two), [['10.0.0.1', [0, 1]]]);
      assert.deepEqual(await all.partsOf(source, one), [['10.0.0.2', [0, 1, 2, 3]]]);
      assert.deepEqual(all.store.stats(), { sessions: 2, files: 2, ownerships: 3, partListBytes: 0 });
      assert.deepEqual(await all.store.logOut(source), { left: true, parts: 2 });
    });

    test('an incomplete owner gives up the parts it has, and its part list goes', async (t) => {
      const all = await open(t);
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 9);
      await all.store.addFile(source, file);
      for (const part of [3, 7]) await all.store.addPart(leech, file.md5, part);
      assert.deepEqual(await all.store.logOut(source), { left: false, parts: 2 });
      assert.equal(await all.store.giveUpFile(leech, file.md5), 2);
      assert.deepEqual(await all.owners(source, file), []);
      assert.deepEqual(await all.store.logOut(source), { left: false, parts: 0 });
      assert.deepEqual(all.store.stats(), { sessions: 2, files: 1, ownerships: 1, partListBytes: 0 });
    });

    test('a file without owners is gone: it is not found, and its geometry is free again', async (t) => {
      const all = await open(t, { files: 1 });
      const source = await all.logIn('10.0.0.1');
      await all.store.addFile(source, sharedFile(1, 'a', 3));
      assert.equal(await all.store.giveUpFile(source, fileMd5(1)), 3);
      assert.equal(await all.store.findOwners(source, fileMd5(1)), 'UNKNOWN_FILE');
      assert.equal(await all.store.giveUpFile(source, fileMd5(1)), 'UNKNOWN_FILE');
      assert.deepEqual(await all.look(source, '*'), []);
      assert.deepEqual(all.store.stats(), { sessions: 1, files: 0, ownerships: 0, partListBytes: 0 });
      assert.equal(await all.store.addFile(source, sharedFile(1, 'another size', 5)), 5);
    });

    test('a source of an empty file gives up no parts, and the file is gone', async (t) => {
      const all = await open(t);
      const source = await all.logIn('10.0.0.1');
      await all.store.addFile(source, sharedFile(1, 'empty', 0));
      assert.equal(await all.store.giveUpFile(source, fileMd5(1)), 0);
      assert.deepEqual(all.store.stats(), { sessions: 1, files: 0, ownerships: 0, partListBytes: 0 });
    });

    test('who owns nothing of a known file gives up nothing, and nobody loses anything', async (t) => {
      const all = await open(t);
      const [source, stranger] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 3);
      await all.store.addFile(source, file);
      assert.equal(await all.store.giveUpFile(stranger, file.md5), 0);
      assert.equal(await all.store.giveUpFile(source, file.md5), 3);
    });

    test('a file that was withdrawn can be shared and owned again', async (t) => {
      const all = await open(t, { ownershipsPerSession: 1 });
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 3);
      await all.store.addFile(source, file);
      await all.store.addPart(leech, file.md5, 0);
      assert.equal(await all.store.giveUpFile(source, file.md5), 3);
      assert.equal(await all.store.addPart(source, file.md5, 2), 1);
      assert.deepEqual(await all.partsOf(leech, file), [['10.0.0.1', [2]]]);
      assert.equal(await all.store.addFile(source, sharedFile(1, 'named anew', 3)), 3);
      assert.deepEqual(await all.look(leech, '*'), [sharedFile(1, 'named anew', 3)]);
    });

    test('when its last source has withdrawn, whoever registers the file names it', async (t) => {
      const all = await open(t);
      const [source, leech, sharer] = [
        await all.logIn('10.0.0.1'),
        await all.logIn('10.0.0.2'),
        await all.logIn('10.0.0.3'),
      ];
      await all.store.addFile(source, sharedFile(1, 'first'));
      await all.store.addPart(leech, fileMd5(1), 0);
      await all.store.giveUpFile(source, fileMd5(1));
      await all.store.addFile(sharer, sharedFile(1, 'second'));
      assert.deepEqual(await all.look(leech, '*'), [sharedFile(1, 'second')]);
    });
  });

  describe(`${name}: logging out`, () => {
    test('a session that sources nothing may leave; it says how many parts it owned', async (t) => {
      const all = await open(t);
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 3);
      await all.store.addFile(source, file);
      await all.store.addPart(leech, file.md5, 0);
      await all.store.addPart(leech, file.md5, 2);
      assert.deepEqual(await all.store.logOut(leech), { left: true, parts: 2 });
      assert.equal(await all.store.logOut(leech), 'UNKNOWN_SESSION');
      assert.deepEqual(await all.owners(source, file), []);
      assert.deepEqual(all.store.stats(), { sessions: 1, files: 1, ownerships: 1, partListBytes: 0 });
    });

    test('a source stays until others own every part, and is told how many they own', async (t) => {
      const all = await open(t);
      const [source, b, c] = [
        await all.logIn('10.0.0.1'),
        await all.logIn('10.0.0.2'),
        await all.logIn('10.0.0.3'),
      ];
      const [one, two] = [sharedFile(1, 'one', 4), sharedFile(2, 'two', 2)];
      await all.store.addFile(source, one);
      await all.store.addFile(source, two);
      assert.deepEqual(await all.store.logOut(source), { left: false, parts: 0 });
      for (const part of [0, 1, 2]) await all.store.addPart(b, one.md5, part);
      for (const part of [2, 1]) await all.store.addPart(c, one.md5, part);
      await all.store.addPart(c, two.md5, 1);
      assert.deepEqual(await all.store.logOut(source), { left: false, parts: 4 });
      assert.deepEqual((await all.owners(b, one)).length, 2, 'nothing changed');
      await all.store.addPart(c, one.md5, 3);
      await all.store.addPart(b, two.md5, 0);
      assert.deepEqual(await all.store.logOut(source), { left: true, parts: 6 }, 'together they own all');
      assert.deepEqual(await all.partsOf(b, one), [['10.0.0.3', [1, 2, 3]]]);
    });

    test('what left with another session no longer counts', async (t) => {
      const all = await open(t);
      const [source, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 3);
      await all.store.addFile(source, file);
      for (const part of [0, 1]) await all.store.addPart(b, file.md5, part);
      assert.deepEqual(await all.store.logOut(source), { left: false, parts: 2 });
      await all.store.logOut(b);
      assert.deepEqual(await all.store.logOut(source), { left: false, parts: 0 });
    });

    test('of two sources that have only each other, the second to leave stays', async (t) => {
      const all = await open(t);
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 3);
      await all.store.addFile(a, file);
      await all.store.addFile(b, file);
      const answers = await Promise.all([all.store.logOut(a), all.store.logOut(b)]);
      assert.deepEqual(answers.filter((answer) => typeof answer !== 'string' && answer.left).length, 1);
      assert.equal(all.store.stats().ownerships, 1);
    });

    test('an owner that is no source may take the last copy with it; the file is gone then', async (t) => {
      const all = await open(t);
      const [source, leech] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 2);
      await all.store.addFile(source, file);
      for (const part of [0, 1]) await all.store.addPart(leech, file.md5, part);
      assert.deepEqual(await all.store.logOut(source), { left: true, parts: 2 });
      assert.deepEqual(await all.store.logOut(leech), { left: true, parts: 2 });
      assert.deepEqual(all.store.stats(), { sessions: 0, files: 0, ownerships: 0, partListBytes: 0 });
      const later = await all.logIn('10.0.0.3');
      assert.deepEqual(await all.look(later, '*'), []);
      assert.equal(await all.store.addFile(later, sharedFile(1, 'another size', 5)), 5);
    });
  });

  describe(`${name}: limits`, () => {
    test('a full store takes no new session and still knows the old ones', async (t) => {
      const all = await open(t, { sessions: 1 });
      const first = await all.logIn('10.0.0.1');
      const login = { address: peerAddress('10.0.0.2'), proven: 1, candidate: sessionId(2), now: 0 } as const;
      assert.equal(await all.store.logIn(login), 'SESSIONS_FULL');
      assert.equal((await all.logIn('10.0.0.1')).session, first.session);
      await all.store.logOut(first);
      assert.deepEqual(await all.store.logIn(login), { session: sessionId(2) });
    });

    test('a full store takes no new file and still takes owners of the old ones', async (t) => {
      const all = await open(t, { files: 1 });
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      await all.store.addFile(a, sharedFile(1, 'a'));
      assert.equal(await all.store.addFile(b, sharedFile(2, 'b')), 'FILES_FULL');
      assert.equal(await all.store.addFile(b, sharedFile(1, 'a')), 3);
      assert.equal(all.store.stats().files, 1);
    });

    test('a session at its limit keeps what it owns and gets no more', async (t) => {
      const all = await open(t, { ownershipsPerSession: 1 });
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      await all.store.addFile(a, sharedFile(1, 'a'));
      assert.equal(await all.store.addFile(a, sharedFile(2, 'b')), 'SESSION_OWNERSHIPS_FULL');
      await all.store.addFile(b, sharedFile(3, 'c'));
      assert.equal(await all.store.addPart(a, fileMd5(3), 0), 'SESSION_OWNERSHIPS_FULL');
      assert.equal(await all.store.addFile(a, sharedFile(1, 'renamed')), 3);
      assert.equal(await all.store.addPart(a, fileMd5(1), 0), 3);
      assert.deepEqual(all.store.stats(), { sessions: 2, files: 2, ownerships: 2, partListBytes: 0 });
    });

    test('the ownerships of all sessions together are bounded', async (t) => {
      const all = await open(t, { ownerships: 1 });
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      await all.store.addFile(a, sharedFile(1, 'a'));
      assert.equal(await all.store.addFile(b, sharedFile(2, 'b')), 'OWNERSHIPS_FULL');
      assert.equal(await all.store.addPart(b, fileMd5(1), 0), 'OWNERSHIPS_FULL');
      assert.equal(all.store.stats().files, 1, 'a refused registration leaves no file behind');
    });

    test('the part lists of incomplete owners are bounded; complete owners always have room', async (t) => {
      const all = await open(t, { partListBytes: 100 });
      const [a, b] = [await all.logIn('10.0.0.1'), await all.logIn('10.0.0.2')];
      const file = sharedFile(1, 'a', 1000);
      await all.store.addFile(a, file);
      assert.equal(await all.store.addPart(b, file.md5, 0), 'PART_LISTS_FULL');
      assert.equal(await all.store.addFile(b, file), 1000);
    });
  });
}

/** Sessions by the address they came from. */
class Population {
  readonly store: TrackerStore;
  #ids = 0;

  constructor(store: TrackerStore) {
    this.store = store;
  }

  async logIn(v4: string, port = 5000, v6: string | null = null, now = 0): Promise<Caller> {
    const address = peerAddress(v4, port, v6);
    this.#ids += 1;
    const candidate: SessionId = sessionId(this.#ids);
    const outcome = await this.store.logIn({ address, proven: provenBy(address, v4), candidate, now });
    assert.ok(typeof outcome !== 'string', `login refused: ${String(outcome)}`);
    return { session: outcome.session, ip: v4, now };
  }

  /** The other owners, by their IPv4 addresses. */
  async owners(caller: Caller, file: Manifest) {
    const outcome = await this.store.findOwners(caller, file.md5);
    assert.ok(typeof outcome !== 'string', `owners refused: ${String(outcome)}`);
    assert.equal(outcome.partCount, file.geometry.partCount);
    const owners = outcome.owners.map((record) => ownerOf(record, file.geometry.partCount));
    return owners.sort((a, b) => (a.address.v4! < b.address.v4! ? -1 : 1));
  }

  /** The other owners with their parts. */
  async partsOf(caller: Caller, file: Manifest): Promise<[string | null, number[]][]> {
    const owners = await this.owners(caller, file);
    return owners.map(({ address, parts }) => [address.v4, [...parts]]);
  }

  /** What matches, by id. */
  async look(caller: Caller, text: string): Promise<readonly Manifest[]> {
    return [...(await this.mostOwned(caller, text, 999))].sort((a, b) => (a.md5 < b.md5 ? -1 : 1));
  }

  /** What matches, in the order of the store. */
  async mostOwned(caller: Caller, text: string, limit: number): Promise<readonly Manifest[]> {
    const outcome = await this.store.findFiles(caller, parseFileQuery(text), limit);
    assert.ok(typeof outcome !== 'string', `search refused: ${String(outcome)}`);
    return outcome;
  }
}
