import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { type Logger, silentLogger } from '../../src/core/logger.js';
import { openStore } from '../../src/daemon/open-store.js';
import { parseFileQuery } from '../../src/model/file-query.js';
import type { SessionId } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';
import { provenBy } from '../../src/tracker/address-proof.js';
import type { Caller, TrackerStore } from '../../src/tracker/store.js';
import { peerAddress, sessionId } from '../contracts/tracker-values.js';
import { atEnd } from '../support/clean-up.js';
import { tempFolder } from '../support/files.js';
import { ownerOf } from '../support/owner-records.js';

export interface KeptStoreOptions {
  readonly intervalMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** An lmdb store of the folder, started; stopped when the test is over. */
export async function openKept(
  t: TestContext,
  folder: string,
  { intervalMs = 0, clock = systemClock, logger = silentLogger }: KeptStoreOptions = {},
): Promise<TrackerStore> {
  const store = await openStore({ engine: 'lmdb', folder: null }, { folder, intervalMs, clock, logger });
  await store.start();
  atEnd(t, () => store.stop().catch(() => {}));
  return store;
}

/** What a kill at this moment would leave of the state in `folder`, opened. */
export async function openAsKilled(t: TestContext, folder: string, clock?: Clock): Promise<TrackerStore> {
  const copy = await tempFolder(t);
  await cp(join(folder, 'data.mdb'), join(copy, 'data.mdb'));
  return openKept(t, copy, clock === undefined ? {} : { clock });
}

/** The session of 10.0.0.`n`. */
export async function loggedIn(store: TrackerStore, n: number, now = 0): Promise<Caller> {
  const [address, ip] = [peerAddress(`10.0.0.${n}`), `10.0.0.${n}`];
  const outcome = await store.logIn({
    address,
    proven: provenBy(address, ip),
    candidate: sessionId(n),
    now,
  });
  if (typeof outcome === 'string') throw new Error(`login refused: ${outcome}`);
  return { session: outcome.session, ip, now };
}

/** All that a store answers about these sessions and files, in an order of its own. */
export async function answersOf(
  store: TrackerStore,
  sessions: readonly { readonly session: SessionId; readonly ip: string }[],
  files: readonly Manifest[],
  now: number,
): Promise<unknown> {
  const owners: unknown[] = [];
  const known = new Set<string>();
  for (const session of sessions) {
    const caller = { ...session, now };
    for (const { md5 } of files) {
      const outcome = await store.findOwners(caller, md5);
      if (typeof outcome === 'string') owners.push(outcome);
      else {
        const each = outcome.owners.map((record) => {
          const { address, parts } = ownerOf(record, outcome.partCount);
          return `${address.v4} ${address.v6} ${address.port} ${[...parts]}`;
        });
        owners.push([outcome.partCount, ...each.sort()]);
      }
    }
    const found = await store.findFiles(caller, parseFileQuery('*'), 999);
    if (typeof found !== 'string') {
      for (const { md5, name, geometry } of found) known.add(JSON.stringify([md5, name, geometry]));
    }
  }
  return { owners, files: [...known].sort(), stats: store.stats() };
}
