import type { Manifest } from '../model/manifest.js';
import type { LmdbFile, RecordWriter } from './lmdb-file.js';
import type { MemoryStore } from './memory-store.js';
import {
  DamagedRecord,
  decodeFile,
  decodeOwnership,
  decodeSession,
  decodeTime,
  encodeFile,
  encodeOwnership,
  encodeSession,
  encodeTime,
  FORMAT,
  TIME_KEY,
} from './state-records.js';
import type { Unwritten } from './unwritten.js';

/** What there is of a state that can be put back, and asked for. */
type State = Pick<
  MemoryStore,
  'sessionState' | 'fileState' | 'ownershipState' | 'restoreSession' | 'restoreFile' | 'restoreOwnership'
>;

/** The records were written in another form than this code's; the message names both. */
export class OtherFormat extends Error {}

/**
 * Puts the records back into an empty state, and returns how many milliseconds their time is later than `now`: it goes
 * on where the last batch left it, so that the time without a tracker, when nobody could be heard, makes no session a
 * silent one. Throws OtherFormat and DamagedRecord.
 */
export function loadState(kept: Pick<LmdbFile, 'records' | 'count'>, state: State, now: number): number {
  let later: number | null = null;
  let file: Manifest | null = null;
  let owned = true;
  let read = 0;
  for (const { key, value } of kept.records()) {
    read += 1;
    const { md5, session } = key;
    if (later === null) {
      if (key !== TIME_KEY) throw new DamagedRecord('its first record is missing');
      later = laterOf(value, now);
    } else if (session === null && md5 !== null) {
      if (!owned) break;
      file = decodeFile(md5, value);
      owned = false;
      state.restoreFile(file);
    } else if (session !== null && md5 === null) {
      const restored = state.restoreSession(decodeSession(session, value, later));
      if (!restored) throw new DamagedRecord(`session ${session} has the address of another`);
    } else if (session !== null && md5 !== null) {
      // By the file's own string, whose hash is known already.
      if (file?.md5 !== md5 || !state.restoreOwnership(session, file.md5, decodeOwnership(file, value)))
        throw new DamagedRecord(`an owner of ${md5} without a session or a file`);
      owned = true;
    }
  }
  if (!owned) throw new DamagedRecord(`file ${file?.md5} without an owner`);
  if (read !== kept.count) throw new DamagedRecord(`${read} of ${kept.count} records are there`);
  return later ?? 0;
}

function laterOf(value: Buffer, now: number): number {
  const time = decodeTime(value);
  if (time.format !== FORMAT) throw new OtherFormat(`format ${time.format}; this one reads ${FORMAT}`);
  return time.now - now;
}

/** Writes what the changed things are now, and the time; `later` as `loadState` gave it. */
export function saveState(
  records: RecordWriter,
  state: State,
  changes: Unwritten,
  { now, later }: { readonly now: number; readonly later: number },
): void {
  records.put(TIME_KEY, encodeTime(now + later));
  for (const session of changes.sessions) {
    const found = state.sessionState(session);
    const key = { md5: null, session };
    if (found === undefined) records.remove(key);
    else records.put(key, encodeSession(found, later));
  }
  for (const md5 of changes.files) {
    const found = state.fileState(md5);
    const key = { md5, session: null };
    if (found === undefined) records.remove(key);
    else records.put(key, encodeFile(found));
  }
  for (const [md5, sessions] of changes.ownerships) {
    for (const session of sessions) {
      const found = state.ownershipState(session, md5);
      const key = { md5, session };
      if (found === undefined) records.remove(key);
      else records.put(key, encodeOwnership(found));
    }
  }
}
