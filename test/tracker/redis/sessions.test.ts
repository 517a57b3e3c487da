import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import type { SessionId } from '../../../src/model/ids.js';
import type { AccountTerms } from '../../../src/tracker/accounts.js';
import { STORE_LIMITS } from '../../../src/tracker/limits.js';
import { Catalog } from '../../../src/tracker/redis/catalog.js';
import { Engine } from '../../../src/tracker/redis/engine.js';
import { Files } from '../../../src/tracker/redis/files.js';
import { parseRedisPlace } from '../../../src/tracker/redis/place.js';
import { Sessions } from '../../../src/tracker/redis/sessions.js';
import { SharedAccounts } from '../../../src/tracker/redis/shared-accounts.js';
import { peerAddress, sessionId } from '../../contracts/tracker-values.js';
import { atEnd } from '../../support/clean-up.js';
import { RedisServer } from '../../support/redis-server.js';
import { requireProgram } from '../../support/requires.js';
import { openRedisStore } from './open-redis-store.js';

/** Something happens between a session's making and its counting. */
class Interrupted extends SharedAccounts {
  between: () => Promise<unknown> = async () => {};

  override async join(terms: AccountTerms, session: SessionId): Promise<boolean> {
    await this.between();
    return super.join(terms, session);
  }
}

test('a session that another process drops before it is counted is not counted for ever', async (t) => {
  if (!requireProgram(t, 'redis-server')) return;
  const server = await RedisServer.start(t);
  const other = await openRedisStore(server.url);
  atEnd(t, () => other.stop());
  const engine = new Engine(parseRedisPlace(server.url)!, { clock: systemClock, logger: silentLogger });
  await engine.start();
  atEnd(t, () => engine.stop());
  const catalog = new Catalog();
  const accounts = new Interrupted(engine);
  const sessions = new Sessions(engine, catalog, new Files(engine, catalog, STORE_LIMITS), accounts);
  const account = { network: '10.0.0.1', sessions: 1, ownerships: 9 };
  const logIn = (candidate: SessionId) =>
    sessions.logIn({ address: peerAddress('10.0.0.1'), proven: 1, candidate, now: 0, account }, 9);
  accounts.between = () => other.dropSession(sessionId(1), 1e9);
  await logIn(sessionId(1));
  assert.deepEqual(await server.ask('keys', 'bt:account:*'), []);
  accounts.between = async () => {};
  assert.deepEqual(await logIn(sessionId(2)), { session: sessionId(2) });
  assert.equal(await accounts.hasRoom(account), false);
});
