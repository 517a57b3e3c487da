import type { FileMd5 } from '../model/ids.js';
import type { AccountTerms } from './accounts.js';
import { provenHosts } from './address-proof.js';
import type { TrackerStore } from './store.js';

/** Whom a tracker serves and which files it lists; what it says may change while the tracker runs. */
export interface Access {
  /** `ip` is in canonical form. */
  admitsAddress(ip: string): boolean;
  admitsFile(md5: FileMd5): boolean;
  /** How much the sessions of the address may hold together; undefined: they are not counted. */
  termsOf(ip: string): AccountTerms | undefined;
}

/** The lists behind an Access, as far as what they leave out can be looked for. */
export interface Lists extends Pick<Access, 'admitsAddress' | 'admitsFile'> {
  readonly restrictsAddresses: boolean;
  /** null: more than can be named. */
  readonly deniedFiles: ReadonlySet<FileMd5> | null;
}

const ALL = Number.MAX_SAFE_INTEGER;

/**
 * Removes from the store the sessions and the files that are not admitted; returns how many of each. For when the lists
 * have changed: it goes through all sessions, and through all files where there is an allow list of those.
 */
export async function removeDenied(
  store: TrackerStore,
  lists: Lists,
): Promise<{ readonly sessions: number; readonly files: number }> {
  let sessions = 0;
  const candidates = lists.restrictsAddresses ? await store.allSessions() : [];
  for (const { session, address, proven } of candidates) {
    if (provenHosts(address, proven).every((host) => lists.admitsAddress(host))) continue;
    if (await store.dropSession(session, ALL)) sessions += 1;
  }
  let files = 0;
  for (const md5 of await suspects(store, lists)) {
    if (!lists.admitsFile(md5) && (await store.removeFile(md5))) files += 1;
  }
  return { sessions, files };
}

/** Whichever are fewer, where there is a choice: the files that are denied, or those that there are. */
async function suspects(store: TrackerStore, { deniedFiles }: Lists): Promise<Iterable<FileMd5>> {
  if (deniedFiles !== null && deniedFiles.size <= store.stats().files) return deniedFiles;
  return (await store.matchFiles({ name: '', md5Prefix: null }, ALL)).map(({ md5 }) => md5);
}
