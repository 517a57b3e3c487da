/**
 * What downloads did and do, over all of them: plain numbers since the start, and peers as they are now.
 *
 * Invariant: `#running` are the downloads between `began` and `ended`; the other numbers only grow.
 */
import type { ExchangeFailure } from '../net/exchange.js';

/** `framing`: broke the form of answers too often; `content`: sent bytes or midstates that are proven wrong. */
export type BanReason = 'framing' | 'content';
/** `duplicate`: came twice; `cut`: did not come whole; `wrong`: did not verify. */
export type WasteReason = 'duplicate' | 'cut' | 'wrong';
export type PeerState = 'asked' | 'idle' | 'resting' | 'aside' | 'banned' | 'unlisted';
export type PeerStates = Record<PeerState, number>;

/** A download as it is counted. */
interface Running {
  peerStates(): PeerStates;
}

export class SwarmCounts {
  readonly #running = new Set<Running>();
  /** All there from the start: to Prometheus, a count that appears with 1 has not grown. */
  readonly #parts: Record<ExchangeFailure['kind'] | 'verified' | 'wrong' | 'duplicate', number> = {
    ...{ verified: 0, wrong: 0, duplicate: 0 },
    ...{
      refused: 0,
      cut: 0,
      reset: 0,
      connect: 0,
      'first-byte-timeout': 0,
      stall: 0,
      protocol: 0,
      aborted: 0,
    },
  };
  readonly #wasted: Record<WasteReason, number> = { duplicate: 0, cut: 0, wrong: 0 };
  readonly #bans: Record<BanReason, number> = { framing: 0, content: 0 };
  readonly #onFetched: (ms: number) => void;
  #payload = 0;
  #framing = 0;

  /** @param onFetched a part landed, so many milliseconds after it was asked for */
  constructor(onFetched: (ms: number) => void = () => {}) {
    this.#onFetched = onFetched;
  }

  began(download: Running): void {
    this.#running.add(download);
  }

  ended(download: Running): void {
    this.#running.delete(download);
  }

  /** A part landed: so many bytes of the file, and of what is around them. */
  landed(payload: number, framing: number, ms: number): void {
    this.#payload += payload;
    this.#framing += framing;
    this.#onFetched(ms);
  }

  /** It is proven to be right. */
  verified(parts: number): void {
    this.#parts.verified += parts;
  }

  /** It landed and is of no use. */
  useless(why: 'duplicate' | 'wrong', bytes: number): void {
    this.#parts[why]++;
    this.#wasted[why] += bytes;
  }

  /** It did not land; so many bytes of it had come. */
  failed(kind: ExchangeFailure['kind'], bytes: number): void {
    this.#parts[kind]++;
    this.#wasted.cut += bytes;
  }

  banned(reason: BanReason): void {
    this.#bans[reason]++;
  }

  stats() {
    const peers: PeerStates = { asked: 0, idle: 0, resting: 0, aside: 0, banned: 0, unlisted: 0 };
    for (const download of this.#running) {
      for (const [state, count] of Object.entries(download.peerStates())) peers[state as PeerState] += count;
    }
    return {
      downloads: this.#running.size,
      peers,
      parts: { ...this.#parts },
      bans: { ...this.#bans },
      wasted: { ...this.#wasted },
      payload: this.#payload,
      framing: this.#framing,
    };
  }
}
