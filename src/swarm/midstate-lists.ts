/**
 * Asks complete owners for their lists of midstates (MIDS, PROTOCOL.md §7.2), each at most once. Who is slow to answer
 * does not hold up the others: somebody else is asked as well.
 *
 * Invariant: `#asked` has the id of every peer that was asked, `#underWay` the requests that have not ended; a list
 * that came is in `#ready` until it is given out, once.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { FileMd5 } from '../model/ids.js';
import { MidstateList } from '../policy/midstate-list.js';
import { decodeAmid } from '../protocol/answers.js';
import { encodeRequest } from '../protocol/encode.js';
import { AnswerExchange } from './answer-exchange.js';
import type { Peer } from './peer-book.js';

/** Somebody else is asked, too, when an answer takes longer. */
const PATIENCE_MS = 500;
/** An owner that has not answered by then is taken for one that never will. */
const ANSWER_MS = 10_000;

interface Request {
  readonly exchange: AnswerExchange<Uint8Array[]>;
  readonly peer: Peer;
  readonly timer: Timer;
}

export class MidstateLists {
  readonly #md5: FileMd5;
  readonly #partCount: number;
  readonly #peers: () => readonly Peer[];
  readonly #clock: Clock;
  readonly #asked = new Set<number>();
  readonly #underWay = new Set<Request>();
  readonly #ready: MidstateList[] = [];
  #stopped = false;
  #wake: () => void = () => {};

  /** @param peers the owners known now */
  constructor(md5: FileMd5, partCount: number, peers: () => readonly Peer[], clock: Clock) {
    this.#md5 = md5;
    this.#partCount = partCount;
    this.#peers = peers;
    this.#clock = clock;
  }

  /** How many peers were asked. */
  get asked(): number {
    return this.#asked.size;
  }

  /** A list from an owner that was not asked before, the trusted ones first; null when there is none. One call at a time. */
  async next(): Promise<MidstateList | null> {
    for (;;) {
      const list = this.#ready.shift();
      if (list !== undefined) return list;
      const peer = this.#stopped ? null : this.#candidate();
      if (peer !== null) this.#ask(peer);
      else if (this.#underWay.size === 0) return null;
      await this.#news(peer !== null);
    }
  }

  /** Ends all requests; no more lists come. */
  stop(): void {
    this.#stopped = true;
    for (const { peer, exchange } of [...this.#underWay]) peer.link.abort(exchange);
  }

  /** Resolves when a request has ended, or when there may be somebody else to ask and it is time to. */
  async #news(more: boolean): Promise<void> {
    let timer: Timer | null = null;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (more) timer = this.#clock.after(PATIENCE_MS, resolve);
    });
    (timer as Timer | null)?.cancel();
  }

  #ask(peer: Peer): void {
    this.#asked.add(peer.id);
    const exchange = new AnswerExchange(
      encodeRequest({ command: 'MIDS', md5: this.#md5 }),
      decodeAmid(this.#partCount),
    );
    const timer = this.#clock.after(ANSWER_MS, () => peer.link.abort(exchange));
    const request = { exchange, peer, timer };
    this.#underWay.add(request);
    void this.#await(request);
    peer.link.submit(exchange);
  }

  async #await(request: Request): Promise<void> {
    const outcome = await request.exchange.outcome;
    request.timer.cancel();
    this.#underWay.delete(request);
    if (outcome.ok && outcome.whole && !this.#stopped) {
      const md5 = Buffer.from(this.#md5, 'hex');
      this.#ready.push(new MidstateList(request.peer.id, Buffer.concat(outcome.value), md5));
    }
    this.#wake();
  }

  #candidate(): Peer | null {
    const owners = this.#peers().filter((peer) => this.#mayAsk(peer));
    return owners.find((peer) => !peer.aside) ?? owners[0] ?? null;
  }

  /** Only who has the whole file has all of its midstates. */
  #mayAsk(peer: Peer): boolean {
    return peer.listed && !peer.banned && !this.#asked.has(peer.id) && peer.complete;
  }
}
