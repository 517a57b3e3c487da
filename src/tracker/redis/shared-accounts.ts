import type { FileMd5, SessionId } from '../../model/ids.js';
import type { AccountTerms } from '../accounts.js';
import type { Engine } from './engine.js';
import { accountKey } from './keys.js';

/** An account as a session remembers it, so that whoever ends the session knows it; null: the session is not counted. */
export interface AccountOfSession {
  readonly network: string;
  readonly mostFiles: number;
}

/**
 * What the sessions of one address hold together, counted in the engine.
 *
 * A session is counted after it is there, and a file after it is in the session's list; a file is counted no more after it
 * left the list. So a process that dies, or loses the engine, in between leaves something that is not counted until it is
 * asked for again, or a file too many, which its session is counted for until it gives that up or ends: all that it was
 * counted for ends with it.
 */
export class SharedAccounts {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether one more session would be counted now: spares the work of making one. */
  async hasRoom({ network, sessions }: AccountTerms): Promise<boolean> {
    return ((await this.#engine.run('countSessions', accountKey(network), '')) as number) < sessions;
  }

  /** Whether the session is counted from now on; else they are too many. */
  async join({ network, sessions }: AccountTerms, session: SessionId): Promise<boolean> {
    return (await this.#engine.run('joinAccount', accountKey(network), session, finite(sessions))) === 1;
  }

  async quit(network: string, session: SessionId): Promise<void> {
    await this.#engine.run('quitAccount', accountKey(network), session);
  }

  /** Whether the session may own the file; it counts then, once. `listed`: new files that the session's list has had. */
  async countFile(
    { network, mostFiles }: AccountOfSession,
    session: SessionId,
    md5: FileMd5,
    listed: number,
  ): Promise<boolean> {
    const asked = [session, mostFiles, md5, listed] as const;
    return (await this.#engine.run('countFile', accountKey(network), ...asked)) === 1;
  }

  /** The file counts no more unless it came again after the session's list had had so many new files. */
  async uncountFile(network: string, session: SessionId, md5: FileMd5, listed: number): Promise<void> {
    await this.#engine.run('uncountFile', accountKey(network), session, md5, listed);
  }
}

/** What Lua reads as a number, also of no limit. */
export function finite(limit: number): number {
  return Math.min(limit, Number.MAX_SAFE_INTEGER);
}
