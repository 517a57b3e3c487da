import type { SessionId } from '../../model/ids.js';
import type { Refusal } from '../refusal.js';
import type { Caller, LogOut } from '../store.js';
import { askInBatches } from './batches.js';
import type { Files, Left } from './files.js';
import type { ListedFile, Sessions } from './sessions.js';

/** A mark of a process that died holds up other sources for so many milliseconds. */
const LEAVING_MS = 10_000;
/** A session that goes on joining files while it logs out is told to stay. */
const LOGOUT_ROUNDS = 5;

/**
 * Ending sessions, whose files lie on different nodes.
 *
 * A source may leave when others own every part of its files. It is marked as leaving, file by file in the
 * order of their ids, and does not count as an owner for others who want to leave while it is; so of two that
 * have only each other, the one that comes second to a common file finds it unsafe. When all marks are set they
 * are used up file by file, and the session ends; else they are taken back. A mark that ran out meanwhile is no
 * matter: leaving asks again then, and when that finds a part of which this is the last copy, the session
 * owns again what it had left. A process that dies on the way leaves marks, which run out, and a live session that
 * owns less than before, whose peer asks again or falls silent.
 */
export class Departure {
  readonly #sessions: Sessions;
  readonly #files: Files;

  constructor(sessions: Sessions, files: Files) {
    this.#sessions = sessions;
    this.#files = files;
  }

  async logOut(caller: Caller): Promise<LogOut | Refusal> {
    const { session } = caller;
    let given = 0;
    for (let round = 0; round < LOGOUT_ROUNDS; round += 1) {
      if ((await this.#sessions.visit(caller)) === null) return 'UNKNOWN_SESSION';
      const files = await this.#sessions.files(session);
      const safe = await this.#markAll(session, files);
      if (safe !== null) return { left: false, parts: safe };
      const left = await askInBatches(files, ({ md5 }) => this.#files.leaveIfSafe(session, md5));
      const gone = left.filter((each) => each !== null);
      if (gone.length < files.length) {
        await this.#rejoin(session, gone);
        await askInBatches(files, ({ md5 }) => this.#files.unmarkLeaving(session, md5));
        return { left: false, parts: 0 };
      }
      await askInBatches(files, (file) => this.#sessions.release(session, file));
      given += gone.reduce((sum, { parts }) => sum + parts, 0);
      const outcome = await this.#sessions.doomEmpty(session);
      if (outcome === 'UNKNOWN') return 'UNKNOWN_SESSION';
      if (outcome === 'OWNER') continue;
      await this.#sessions.bury(session);
      return { left: true, parts: given };
    }
    return { left: false, parts: 0 };
  }

  /** Of a session that does not live any more: leaves its files, and it is forgotten. */
  async finish(session: SessionId): Promise<void> {
    const files = await this.#sessions.files(session);
    await askInBatches(files, ({ md5 }) => this.#files.leave(session, md5));
    await this.#sessions.bury(session);
  }

  /** null: all parts are safe and all files are marked. Else how many parts are safe; then no file is. */
  async #markAll(session: SessionId, files: readonly ListedFile[]): Promise<number | null> {
    const marks = await askInBatches(files, ({ md5 }) => this.#files.markLeaving(session, md5, LEAVING_MS));
    if (marks.every(({ parts, safe }) => safe === parts)) return null;
    await askInBatches(
      files.filter((_, at) => marks[at]!.safe === marks[at]!.parts),
      ({ md5 }) => this.#files.unmarkLeaving(session, md5),
    );
    return marks.reduce((sum, { safe }) => sum + safe, 0);
  }

  /** The files are in its list still. A session that was ended meanwhile, by another process, owns nothing again. */
  async #rejoin(session: SessionId, left: readonly Left[]): Promise<void> {
    await askInBatches(left, (each) => this.#files.rejoin(session, each));
    if ((await this.#sessions.know(session)) !== null) return;
    await askInBatches(left, ({ md5 }) => this.#files.leave(session, md5));
  }
}
