import assert from 'node:assert/strict';
import type { NodeAddress } from '../../src/model/address.js';
import { type FileMd5, REFUSED_SESSION, type SessionId } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';
import type { PartList } from '../../src/model/part-list.js';
import {
  type AnswerDecoder,
  decodeAadr,
  decodeAdel,
  decodeAfch,
  decodeAlgi,
  decodeAloo,
  decodeApad,
  decodeLogout,
} from '../../src/protocol/answers.js';
import type { Request } from '../../src/protocol/messages.js';
import type { Access } from '../../src/tracker/access.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import type { TrackerStore } from '../../src/tracker/store.js';
import { Tracker, type TrackerOptions } from '../../src/tracker/tracker.js';
import { sessionId } from '../contracts/tracker-values.js';

/** Nobody and nothing is left out, and nothing is counted. */
export const EVERYBODY: Access = {
  admitsAddress: () => true,
  admitsFile: () => true,
  termsOf: () => undefined,
};

/** A tracker whose clock stands still and whose SessionIDs and samples are the same in every run. */
export function makeTracker(options: Partial<TrackerOptions> = {}): Tracker {
  let draws = 0;
  return new Tracker({
    store: new MemoryStore(),
    clock: { now: () => 0 },
    random: () => 0.5,
    randomBytes: (count) => Uint8Array.from({ length: count }, () => (draws++ * 7) % 252),
    trustAnnouncedAddresses: false,
    access: EVERYBODY,
    ...options,
  });
}

/** The same store, every answer of which takes a turn, as that of a store elsewhere does. */
export function distant(store: TrackerStore): TrackerStore {
  return {
    isAway: false,
    start: () => store.start(),
    stop: () => store.stop(),
    logIn: async (...args) => store.logIn(...args),
    addFile: async (...args) => store.addFile(...args),
    findFiles: async (...args) => store.findFiles(...args),
    matchFiles: async (...args) => store.matchFiles(...args),
    findOwners: async (...args) => store.findOwners(...args),
    addPart: async (...args) => store.addPart(...args),
    giveUpFile: async (...args) => store.giveUpFile(...args),
    logOut: async (...args) => store.logOut(...args),
    silentSessions: async (...args) => store.silentSessions(...args),
    allSessions: async () => store.allSessions(),
    keepSession: async (...args) => store.keepSession(...args),
    dropSession: async (...args) => store.dropSession(...args),
    removeFile: async (...args) => store.removeFile(...args),
    stats: () => store.stats(),
  };
}

/** One peer of a tracker; null is a refusal. Its requests come from `ip`, which a test may change. */
export class TrackedPeer {
  readonly address: NodeAddress;
  ip: string;
  session: SessionId = sessionId(0);
  readonly #tracker: Tracker;

  constructor(tracker: Tracker, address: NodeAddress, ip = address.v4 ?? address.v6 ?? '') {
    this.#tracker = tracker;
    this.address = address;
    this.ip = ip;
  }

  send(request: Request): Promise<Uint8Array | null> {
    return Promise.resolve(this.#tracker.handle(request, { ip: this.ip }));
  }

  /** Whether it is logged in now. */
  async logIn(): Promise<boolean> {
    const session = await this.#ask({ command: 'LOGI', address: this.address }, decodeAlgi());
    assert.ok(session !== null, 'a refused login has an answer, too');
    this.session = session;
    return session !== REFUSED_SESSION;
  }

  addr({ md5, name, geometry }: Manifest): Promise<number | null> {
    const { fileSize, partSize } = geometry;
    return this.#ask({ command: 'ADDR', session: this.session, md5, name, fileSize, partSize }, decodeAadr());
  }

  async look(text: string): Promise<string[] | null> {
    const files = await this.#ask({ command: 'LOOK', session: this.session, text }, decodeAloo());
    return files?.map(({ name }) => name) ?? null;
  }

  async fchu({ md5, geometry }: Manifest): Promise<{ address: NodeAddress; parts: PartList }[] | null> {
    return this.#ask({ command: 'FCHU', session: this.session, md5 }, decodeAfch(geometry.partCount));
  }

  rpad(md5: FileMd5, part: number): Promise<number | null> {
    return this.#ask({ command: 'RPAD', session: this.session, md5, part }, decodeApad());
  }

  delr(md5: FileMd5): Promise<number | null> {
    return this.#ask({ command: 'DELR', session: this.session, md5 }, decodeAdel());
  }

  logo(): Promise<{ left: boolean; parts: number } | null> {
    return this.#ask({ command: 'LOGO', session: this.session }, decodeLogout());
  }

  async #ask<T>(request: Request, decoder: AnswerDecoder<T>): Promise<T | null> {
    const answer = await this.send(request);
    if (answer === null) return null;
    const value = decoder.push(answer);
    assert.ok(value !== null, `the answer to ${request.command} is whole`);
    return value;
  }
}
