import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import type { FileMd5, SessionId } from '../../../src/model/ids.js';
import { STORE_LIMITS } from '../../../src/tracker/limits.js';
import { Catalog } from '../../../src/tracker/redis/catalog.js';
import { Departure } from '../../../src/tracker/redis/departure.js';
import { Engine } from '../../../src/tracker/redis/engine.js';
import { Files, type Left } from '../../../src/tracker/redis/files.js';
import { fileKey } from '../../../src/tracker/redis/keys.js';
import { parseRedisPlace } from '../../../src/tracker/redis/place.js';
import { Sessions } from '../../../src/tracker/redis/sessions.js';
import { SharedAccounts } from '../../../src/tracker/redis/shared-accounts.js';
import type { Caller } from '../../../src/tracker/store.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../../contracts/tracker-values.js';
import { atEnd } from '../../support/clean-up.js';
import { ownerOf } from '../../support/owner-records.js';
import { RedisServer } from '../../support/redis-server.js';
import { hasProgram } from '../../support/requires.js';
import { openRedisStore } from './open-redis-store.js';

if (hasProgram('redis-server')) {
  const server = await RedisServer.start({ after });

  /** Something happens just before file LAST is left, after the others were. */
  class Interrupted extends Files {
    between: () => Promise<unknown> = async () => {};
    readonly #others: Promise<unknown>[] = [];

    override async leaveIfSafe(session: SessionId, md5: FileMd5): Promise<Left | null> {
      if (md5 !== fileMd5(LAST)) {
        const leaving = super.leaveIfSafe(session, md5);
        this.#others.push(leaving);
        return leaving;
      }
      await Promise.all(this.#others);
      await this.between();
      return super.leaveIfSafe(session, md5);
    }
  }

  const LAST = 9;

  const open = async (t: TestContext) => {
    await server.ask('flushall');
    const store = await openRedisStore(server.url);
    atEnd(t, () => store.stop());
    const engine = new Engine(parseRedisPlace(server.url)!, { clock: systemClock, logger: silentLogger });
    await engine.start();
    atEnd(t, () => engine.stop());
    const catalog = new Catalog();
    const files = new Interrupted(engine, catalog, STORE_LIMITS);
    const sessions = new Sessions(engine, catalog, files, new SharedAccounts(engine));
    const logIn = async (n: number): Promise<Caller> => {
      const ip = `10.0.0.${n}`;
      const login = { address: peerAddress(ip), proven: 1, candidate: sessionId(n), now: 0 } as const;
      const outcome = await store.logIn(login);
      assert.ok(typeof outcome !== 'string');
      return { session: outcome.session, ip, now: 0 };
    };
    return { store, files, departure: new Departure(sessions, files), logIn };
  };

  describe('a logout that turns unsafe when some files were left already', () => {
    test('what was left is owned again, also a file that went meanwhile, and a later logout leaves all', async (t) => {
      const { store, files, departure, logIn } = await open(t);
      const [source, copy, asker] = [await logIn(1), await logIn(2), await logIn(3)];
      for (const n of [1, LAST]) await store.addFile(source, sharedFile(n, `file ${n}`, 9));
      await store.addFile(asker, sharedFile(2, 'file 2', 9));
      for (const part of [1, 7]) await store.addPart(source, fileMd5(2), part);
      for (const n of [1, LAST]) await store.addFile(copy, sharedFile(n, `file ${n}`, 9));
      // The mark runs out, and the only other copy of both files goes.
      files.between = async () => {
        await server.ask('del', `${fileKey(fileMd5(LAST))}:leaving`);
        await store.dropSession(copy.session, 1e9);
        assert.equal(await store.findOwners(asker, fileMd5(1)), 'UNKNOWN_FILE');
      };
      assert.deepEqual(await departure.logOut(source), { left: false, parts: 0 });
      const partsOf = async (n: number) => {
        const outcome = await store.findOwners(asker, fileMd5(n));
        assert.ok(typeof outcome !== 'string');
        return outcome.owners.map((owner) => [...ownerOf(owner, 9).parts]);
      };
      const all = [0, 1, 2, 3, 4, 5, 6, 7, 8];
      assert.deepEqual([await partsOf(1), await partsOf(2), await partsOf(LAST)], [[all], [[1, 7]], [all]]);
      assert.deepEqual(await store.logOut(source), { left: false, parts: 0 }, 'it sources both again');
      files.between = async () => {};
      for (const n of [1, LAST]) await store.addFile(asker, sharedFile(n, `file ${n}`, 9));
      assert.deepEqual(await departure.logOut(source), { left: true, parts: 20 });
      assert.deepEqual([await partsOf(1), await partsOf(2), await partsOf(LAST)], [[], [], []]);
      await store.dropSession(asker.session, 1e9);
      assert.deepEqual(await server.ask('keys', 'bt:{*'), []);
    });

    test('what the session told meanwhile is not lost', async (t) => {
      const { store, files, departure, logIn } = await open(t);
      const [source, copy, asker] = [await logIn(1), await logIn(2), await logIn(3)];
      await store.addFile(source, sharedFile(LAST, 'last', 9));
      await store.addFile(copy, sharedFile(LAST, 'last', 9));
      await store.addFile(asker, sharedFile(2, 'other', 9));
      await store.addPart(source, fileMd5(2), 1);
      files.between = async () => {
        await server.ask('del', `${fileKey(fileMd5(LAST))}:leaving`);
        await store.dropSession(copy.session, 1e9);
        assert.equal(await store.addPart(source, fileMd5(2), 8), 1);
      };
      assert.deepEqual(await departure.logOut(source), { left: false, parts: 0 });
      assert.equal(await store.addPart(source, fileMd5(2), 4), 3, 'parts 1, 8 and 4');
      assert.equal(store.stats().partListBytes, 2);
    });

    test('a session that was ended meanwhile owns nothing again', async (t) => {
      const { store, files, departure, logIn } = await open(t);
      const [source, copy, asker] = [await logIn(1), await logIn(2), await logIn(3)];
      for (const n of [1, LAST]) {
        await store.addFile(source, sharedFile(n, `file ${n}`, 9));
        await store.addFile(copy, sharedFile(n, `file ${n}`, 9));
      }
      files.between = async () => {
        await store.dropSession(copy.session, 1e9);
        await store.addFile(source, sharedFile(LAST, `file ${LAST}`, 9));
        await server.ask('del', `${fileKey(fileMd5(LAST))}:leaving`);
        await server.ask(
          'del',
          ...((await server.ask('keys', `bt:*:session:${source.session}`)) as string[]),
        );
      };
      assert.deepEqual(await departure.logOut(source), { left: false, parts: 0 });
      assert.equal(await store.findOwners(asker, fileMd5(1)), 'UNKNOWN_FILE');
      await store.silentSessions(1e9, 9);
      assert.deepEqual(await server.ask('keys', 'bt:{????????????????????????????????}*'), []);
    });
  });

  test('no file is left while the engine refuses changes, though it would take that one', async (t) => {
    const { store, files, logIn } = await open(t);
    const [source, copy] = [await logIn(1), await logIn(2)];
    await store.addFile(source, sharedFile(1, 'a', 1));
    await store.addPart(copy, fileMd5(1), 0);
    atEnd(t, () => server.ask('config', 'set', 'maxmemory', 0));
    await server.ask('config', 'set', 'maxmemory', 1);
    const isAway = { code: 'STORE_AWAY' };
    await assert.rejects(files.addSource(copy.session, sharedFile(2, 'b'), 'r'.repeat(60)), isAway);
    await assert.rejects(files.leaveIfSafe(copy.session, fileMd5(1)), isAway);
    assert.deepEqual(await files.sessions(fileMd5(1)), [source.session, copy.session]);
  });
}
