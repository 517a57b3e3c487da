/**
 * Whom a download asks while it is not known who lied: peers are set aside and taken back, parts are fetched from others.
 *
 * Invariant: a peer that is aside has no request under way but those whose answer had begun when it was set aside.
 */
import type { Clock } from '../core/clock.js';
import type { PartIndex } from '../model/ids.js';
import type { PartPicker } from '../policy/part-picker.js';
import type { Peer, PeerBook } from './peer-book.js';

export class PeerTrust {
  readonly #book: PeerBook;
  readonly #picker: PartPicker;
  readonly #pump: () => void;
  readonly #clock: Clock;
  /** When a part was last lost. */
  lostAt = Number.NEGATIVE_INFINITY;

  /** @param pump free hands may have appeared */
  constructor(book: PeerBook, picker: PartPicker, pump: () => void, clock: Clock) {
    this.#book = book;
    this.#picker = picker;
    this.#pump = pump;
    this.#clock = clock;
  }

  /** Nothing more is asked of the peer. What has begun to arrive is taken: it may be right, and costs nothing more. */
  setAside(peer: Peer): void {
    peer.aside = true;
    for (const { landing } of [...peer.requests.values()]) if (!landing.begun) peer.link.abort(landing);
    this.#pump();
  }

  takeBack(peer: Peer): void {
    peer.aside = false;
    this.#pump();
  }

  /** With nobody else left to ask, those who are only suspected are asked after all. */
  relent(): void {
    const listed = this.#book.peers.filter((peer) => peer.listed && !peer.banned);
    if (listed.length > 0 && listed.every((peer) => peer.aside)) this.#takeAllBack(listed);
  }

  /** Has the part fetched by an owner that is none of `senders`; false when there is none. */
  fetchFromOthers(part: PartIndex, senders: ReadonlySet<number>): boolean {
    const others = this.#book.peers.filter(
      (peer) => peer.listed && !peer.banned && !senders.has(peer.id) && peer.named.has(part),
    );
    if (others.length === 0) return false;
    this.#book.exclude(part, senders);
    this.#picker.lost(part);
    this.lostAt = this.#clock.now();
    if (others.every((peer) => peer.aside)) this.#takeAllBack(others);
    else this.#pump();
    return true;
  }

  #takeAllBack(peers: readonly Peer[]): void {
    for (const peer of peers) peer.aside = false;
    this.#pump();
  }
}
