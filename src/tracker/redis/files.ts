import type { FileMd5, SessionId } from '../../model/ids.js';
import type { Manifest } from '../../model/manifest.js';
import type { StoreLimits } from '../limits.js';
import type { Refusal } from '../refusal.js';
import type { FileOwners, OwnerRecord } from '../store.js';
import type { Catalog } from './catalog.js';
import type { Engine, ScriptName } from './engine.js';
import { fileKey } from './keys.js';

const INCOMPLETE = 'I'.charCodeAt(0);

/** How many parts, or why not. NO_OWNER: nothing speaks against it, but the session is no owner yet. */
export type Owned = number | Refusal | 'NO_OWNER';

/** How many of a source's parts there are, and how many of them others own who stay. */
export interface LeavingMark {
  readonly parts: number;
  readonly safe: number;
}

/** What a session gave up of a file that it left. */
export interface Left {
  readonly md5: FileMd5;
  readonly parts: number;
  /** As the engine told it, for `rejoin`; null: it owned nothing. */
  readonly owned: readonly Buffer[] | null;
}

/** Files in the engine: one call, one script, one key tag. What comes back of them goes into the catalog at once. */
export class Files {
  readonly #engine: Engine;
  readonly #catalog: Catalog;
  readonly #limits: StoreLimits;

  constructor(engine: Engine, catalog: Catalog, limits: StoreLimits) {
    this.#engine = engine;
    this.#catalog = catalog;
    this.#limits = limits;
  }

  /** `record`: the session's 60 bytes if it may become an owner; null: only if it is one already. */
  addSource(session: SessionId, { md5, name, geometry }: Manifest, record: string | null): Promise<Owned> {
    const { fileSize, partSize, partCount } = geometry;
    const mayCreate = this.#catalog.has(md5) || this.#catalog.files < this.#limits.files;
    return this.#change(
      'addSource',
      md5,
      session,
      record ?? '',
      fileSize,
      partSize,
      partCount,
      name,
      mayCreate ? 1 : 0,
      this.#mayOwn,
    );
  }

  /** `record` as for `addSource`. */
  addPart(session: SessionId, md5: FileMd5, part: number, record: string | null): Promise<Owned> {
    const room = this.#limits.partListBytes - this.#catalog.partListBytes;
    return this.#change('addPart', md5, session, record ?? '', part, this.#mayOwn, room);
  }

  /** How many parts were given up. */
  leave(session: SessionId, md5: FileMd5): Promise<Owned> {
    return this.#change('leaveFile', md5, session, 0);
  }

  /** As `leave`, for a source only if others own every part or its mark holds; null when it must stay. */
  async leaveIfSafe(session: SessionId, md5: FileMd5): Promise<Left | null> {
    const answer = (await this.#engine.runForBytes('leaveFile', fileKey(md5), session, 1)) as
      | Buffer
      | [number, ...Buffer[]];
    if (!Array.isArray(answer)) return answer.toString() === 'UNSAFE' ? null : { md5, parts: 0, owned: null };
    const [parts, line, ...owned] = answer;
    this.#catalog.hearFile(line!.toString());
    return { md5, parts, owned: owned.length === 0 ? null : owned };
  }

  /** The session owns again what it gave up, and what it told since. */
  async rejoin(session: SessionId, { md5, owned }: Left): Promise<void> {
    if (owned === null) return;
    this.#catalog.hearFile((await this.#engine.run('rejoinFile', fileKey(md5), session, ...owned)) as string);
  }

  /** If the session is a source and all parts are safe, it counts as leaving for `ms` milliseconds. */
  async markLeaving(session: SessionId, md5: FileMd5, ms: number): Promise<LeavingMark> {
    const [parts, safe] = (await this.#engine.run('markLeaving', fileKey(md5), session, ms)) as [
      number,
      number,
    ];
    return { parts, safe };
  }

  async unmarkLeaving(session: SessionId, md5: FileMd5): Promise<void> {
    await this.#engine.run('unmarkLeaving', fileKey(md5), session);
  }

  async setRecord(session: SessionId, md5: FileMd5, record: string): Promise<void> {
    await this.#engine.run('setRecord', fileKey(md5), session, record);
  }

  /** All but `session`. */
  async owners(session: SessionId, md5: FileMd5): Promise<FileOwners | Refusal> {
    const answer = (await this.#engine.runForBytes('owners', fileKey(md5), session)) as Buffer | Buffer[];
    if (!Array.isArray(answer)) return 'UNKNOWN_FILE';
    const owners: OwnerRecord[] = [];
    for (let at = 1; at < answer.length; at += 2) {
      const record = answer[at]!;
      owners.push({
        address: record.subarray(1),
        parts: record[0] === INCOMPLETE ? answer[at + 1]! : null,
      });
    }
    return { partCount: Number(answer[0]!.toString()), owners };
  }

  /** Of all owners. */
  async sessions(md5: FileMd5): Promise<SessionId[]> {
    return (await this.#engine.run('listOwners', fileKey(md5))) as SessionId[];
  }

  get #mayOwn(): 0 | 1 {
    return this.#catalog.ownerships < this.#limits.ownerships ? 1 : 0;
  }

  async #change(script: ScriptName, md5: FileMd5, ...args: (string | number)[]): Promise<Owned> {
    const answer = (await this.#engine.run(script, fileKey(md5), ...args)) as Refusal | [number, string];
    if (typeof answer === 'string') return answer;
    const [parts, line] = answer;
    this.#catalog.hearFile(line);
    return parts;
  }
}
