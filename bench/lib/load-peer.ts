import type { HostPort, NodeAddress } from '../../src/model/address.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5, SessionId } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import {
  decodeAadr,
  decodeAdel,
  decodeAfch,
  decodeAlgi,
  decodeApad,
  decodeLogout,
} from '../../src/protocol/answers.js';
import { Acknowledged } from './acknowledged.js';
import { NoAnswer, TrackerLink } from './tracker-link.js';

/** Every file of the load has so many parts. */
export const LOAD_PARTS = 400;
const PART_SIZE = 1_000;
const GEOMETRY = partGeometry(LOAD_PARTS * PART_SIZE, PART_SIZE);
/** Requests about a file after which it is given up, or the session ends. */
const TURN = 60;

/** What one session owns of one file, as it was asked for. */
interface Belongings {
  readonly md5: FileMd5;
  readonly port: number;
  parts: PartList;
  readonly acknowledged: Acknowledged;
}

const NOTHING = '';

/** File `n` of the load. */
function loadFile(n: number): FileMd5 {
  return n.toString(16).padStart(32, '0') as FileMd5;
}

/**
 * A peer that changes what it owns as fast as the tracker answers: RPADs of the shared files, ADDRs of files of its own,
 * DELRs, and, when it is a commuter, logouts and new logins.
 */
export class LoadPeer {
  readonly #tracker: HostPort;
  readonly #commutes: boolean;
  readonly #random: () => number;
  readonly #files: number;
  #port: number;
  #session: SessionId | null = null;
  #loggedInAt = 0;
  /** A logout was asked for and not answered: the session may go on or not. */
  #isLeaving = false;
  #belongings = new Map<string, Belongings>();
  #ownFiles = 0;
  answers = 0;

  /** Ports from `port` on are this peer's; `files` is the number of shared files. */
  constructor(
    tracker: HostPort,
    {
      port,
      commutes,
      files,
      random,
    }: { port: number; commutes: boolean; files: number; random: () => number },
  ) {
    this.#tracker = tracker;
    this.#port = port;
    this.#commutes = commutes;
    this.#files = files;
    this.#random = random;
  }

  /** Registers the shared files, as their source. */
  async shareAll(): Promise<void> {
    const link = await TrackerLink.open(this.#tracker);
    const session = await this.#logIn(link);
    for (let n = 0; n < this.#files; n += 1) await this.#add(link, session, loadFile(n), `shared ${n}`);
    link.close();
  }

  /** Goes on until the tracker is gone. */
  async live(): Promise<void> {
    let link: TrackerLink | null = null;
    try {
      link = await TrackerLink.open(this.#tracker);
      for (;;) await this.#turn(link, this.#session ?? (await this.#logIn(link)));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    } finally {
      link?.close();
    }
  }

  /** All it ever owned something of since the last `settle`. */
  get files(): FileMd5[] {
    return [...new Set([...this.#belongings.values()].map(({ md5 }) => md5))];
  }

  /**
   * Compares with what the tracker says that ports own of files, and goes on from there. Returns how many changes that
   * were answered before `moment` there were, and about how many things one of them is missing.
   */
  settle(found: (md5: FileMd5, port: number) => PartList | null, moment: number) {
    let [changes, lost] = [0, 0];
    for (const [key, each] of this.#belongings) {
      const parts = found(each.md5, each.port);
      changes += each.acknowledged.answeredBefore(moment);
      if (!each.acknowledged.settle(stateOf(parts), moment)) lost += 1;
      each.parts = parts ?? PartList.empty(LOAD_PARTS);
      if (parts === null || each.port !== this.#port) this.#belongings.delete(key);
    }
    return { changes, lost };
  }

  /**
   * Whether its session goes on, which it must when its login was answered before `moment`; null when it had none
   * then, or had asked to leave.
   */
  async goesOn(moment: number): Promise<boolean | null> {
    if (this.#session === null) return null;
    const link = await TrackerLink.open(this.#tracker);
    const request = { command: 'FCHU', session: this.#session, md5: loadFile(0) } as const;
    const known = await link.ask(request, decodeAfch(LOAD_PARTS)).then(
      () => true,
      () => false,
    );
    link.close();
    if (!known || this.#commutes) this.#session = null;
    const isKept = this.#loggedInAt < moment && !this.#isLeaving;
    this.#isLeaving = false;
    return isKept ? known : null;
  }

  async #turn(link: TrackerLink, session: SessionId): Promise<void> {
    if (this.#random() < 0.2) {
      const md5 = loadFile(1_000_000 + this.#port * 10_000 + this.#ownFiles++);
      await this.#add(link, session, md5, `own ${this.#ownFiles}`);
      if (this.#random() < 0.7) await this.#giveUp(link, session, md5);
    } else {
      const md5 = loadFile(Math.floor(this.#random() * this.#files));
      for (let i = 0; i < TURN; i += 1) await this.#report(link, session, md5);
      if (this.#random() < 0.2) await this.#giveUp(link, session, md5);
    }
    if (this.#commutes) await this.#leave(link, session);
  }

  async #logIn(link: TrackerLink): Promise<SessionId> {
    const address: NodeAddress = { v4: '127.0.0.1', v6: null, port: this.#port };
    this.#session = await link.ask({ command: 'LOGI', address }, decodeAlgi());
    this.#loggedInAt = performance.now();
    this.answers += 1;
    return this.#session;
  }

  async #add(link: TrackerLink, session: SessionId, md5: FileMd5, name: string): Promise<void> {
    const mine = this.#of(md5);
    mine.parts = PartList.full(LOAD_PARTS);
    const { fileSize, partSize } = GEOMETRY;
    const request = { command: 'ADDR', session, md5, name, fileSize, partSize } as const;
    await this.#change(mine, link.ask(request, decodeAadr()));
  }

  async #report(link: TrackerLink, session: SessionId, md5: FileMd5): Promise<void> {
    const mine = this.#of(md5);
    const part = Math.floor(this.#random() * LOAD_PARTS);
    mine.parts.add(part);
    await this.#change(mine, link.ask({ command: 'RPAD', session, md5, part }, decodeApad()));
  }

  async #giveUp(link: TrackerLink, session: SessionId, md5: FileMd5): Promise<void> {
    const mine = this.#of(md5);
    mine.parts = PartList.empty(LOAD_PARTS);
    await this.#change(mine, link.ask({ command: 'DELR', session, md5 }, decodeAdel()));
  }

  /** A source whom nobody replaces may not: then it stays. */
  async #leave(link: TrackerLink, session: SessionId): Promise<void> {
    const all = [...this.#belongings.values()].filter(({ port }) => port === this.#port);
    for (const each of all) {
      if (each.md5 >= loadFile(1_000_000) && each.parts.isComplete)
        await this.#giveUp(link, session, each.md5);
    }
    const answered = all.map((each) => each.acknowledged.asked(NOTHING));
    this.#isLeaving = true;
    const { left } = await link.ask({ command: 'LOGO', session }, decodeLogout());
    this.#isLeaving = false;
    if (!left) throw new Error('a session that sources nothing was not let go');
    for (const each of answered) each();
    this.answers += 1;
    this.#session = null;
    this.#port += 1;
  }

  async #change(mine: Belongings, answer: Promise<unknown>): Promise<void> {
    const answered = mine.acknowledged.asked(stateOf(mine.parts));
    await answer;
    answered();
    this.answers += 1;
  }

  #of(md5: FileMd5): Belongings {
    const key = `${this.#port} ${md5}`;
    let mine = this.#belongings.get(key);
    if (mine === undefined) {
      const parts = PartList.empty(LOAD_PARTS);
      mine = { md5, port: this.#port, parts, acknowledged: new Acknowledged(NOTHING) };
      this.#belongings.set(key, mine);
    }
    return mine;
  }
}

function stateOf(parts: PartList | null): string {
  return parts === null || parts.owned === 0 ? NOTHING : Buffer.from(parts.bytes).toString('hex');
}
