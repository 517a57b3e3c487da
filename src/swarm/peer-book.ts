/**
 * The owners of one file: who they are, what they have, how they did.
 *
 * Invariant: one Peer for each announced address; its id is its index in order of first sight and never changes, so that
 * "who sent this part" outlives the peer. What a peer is named to have is counted in the picker's rarity exactly while it
 * is listed; `parts` is that without what is excluded.
 */
import { addressKey, hosts, type NodeAddress } from '../model/address.js';
import type { PartIndex } from '../model/ids.js';
import type { PartList } from '../model/part-list.js';
import type { Exchange } from '../net/exchange.js';
import type { Owner } from '../protocol/messages.js';
import type { Landing } from './landing.js';
import { saltSuffixes } from './salt-suffixes.js';
import type { BanReason, PeerState } from './swarm-counts.js';

/** A refusal means "does not have it now" (PROTOCOL.md §4). */
const REFUSED_REST_MS = 60_000;
const FIRST_REST_MS = 2_000;
const LONGEST_REST_MS = 60_000;
/** Breaches of framing after which a peer is not asked again. */
const BREACHES = 3;
/** More addresses than a tracker can name in one answer are not remembered twice over (PROTOCOL.md §1, #hitpeer). */
const MAX_PEERS = 4_096;
const RATE_MEMORY_MS = 5_000;

/** All connections to one peer; RequestPipeline in the program. */
export interface PeerLink {
  maxConnections: number;
  depth: number;
  /** Several exchanges are under way on each connection. */
  readonly kept: boolean;
  /** How many more exchanges may be given now. */
  room(): number;
  submit(exchange: Exchange): void;
  /** Ends the exchange without waiting for its answer; it fails with 'aborted'. */
  abort(exchange: Exchange): void;
  close(): void;
}

type OnBan = (reason: BanReason) => void;

export interface PeerRequest {
  readonly landing: Landing;
  readonly since: number;
  /** When the first byte of its body came; null until then. */
  startedAt: number | null;
  /** When the request was last seen to be fast enough. */
  fastAt: number;
  /** It crawls: another owner shall be asked as well. */
  handedOn: boolean;
}

export class Peer {
  readonly id: number;
  readonly address: NodeAddress;
  readonly link: PeerLink;
  readonly requests = new Map<PartIndex, PeerRequest>();
  /** What the trackers say it has. */
  named: PartList;
  /** What it may be asked for. */
  parts: PartList;
  /** Asked only for what nobody else has free hands for. */
  slow = false;
  /** Sent wrong bytes or broke the framing too often: never asked again. */
  banned = false;
  /** Sent a part that does not link, or a list that was refuted: not asked while it is not known who lied. */
  aside = false;
  /** Parts it is not asked for again, because what it sent for them did not link. */
  readonly excluded = new Set<PartIndex>();
  listed = true;
  /** Named as an owner of every part. */
  complete: boolean;
  reached = false;
  /** It was asked for something once. */
  tried = false;
  bytes = 0;
  /** Bytes a second, smoothed over RATE_MEMORY_MS. */
  rate = 0;
  #restUntil = 0;
  #failures = 0;
  #breaches = 0;
  #ratedBytes = 0;
  #ratedAt: number;
  readonly #onBan: OnBan;

  constructor(
    id: number,
    address: NodeAddress,
    parts: PartList,
    link: PeerLink,
    { now, onBan }: { now: number; onBan: OnBan },
  ) {
    this.#onBan = onBan;
    this.id = id;
    this.address = address;
    this.named = parts;
    this.parts = parts;
    this.complete = parts.isComplete;
    this.link = link;
    this.#ratedAt = now;
  }

  usable(now: number): boolean {
    return this.listed && !this.banned && !this.aside && now >= this.#restUntil;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Failures since the last success: who has fewer is asked first. */
  get failures(): number {
    return this.#failures;
  }

  /** The peer said no, or cannot serve now. */
  refused(now: number): void {
    this.#restUntil = now + REFUSED_REST_MS;
  }

  /** The peer could not be reached, went away in the middle, or was silent too long. Requests that fail together count once. */
  failed(now: number): void {
    if (now < this.#restUntil) return;
    this.#restUntil = now + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(this.#failures++, 10));
  }

  /** The peer sent what cannot be an answer. */
  breached(now: number): void {
    this.failed(now);
    if (++this.#breaches >= BREACHES) this.ban('framing');
  }

  /** Never asked again. */
  ban(reason: BanReason): void {
    if (!this.banned) this.#onBan(reason);
    this.banned = true;
  }

  state(now: number): PeerState {
    if (this.banned) return 'banned';
    if (!this.listed) return 'unlisted';
    if (this.aside) return 'aside';
    if (this.requests.size > 0) return 'asked';
    return now < this.#restUntil ? 'resting' : 'idle';
  }

  /** Updates `rate` from what arrived since the last call, and gives that. A peer that has nothing to do keeps its rate. */
  measure(now: number): number {
    const elapsed = now - this.#ratedAt;
    if (elapsed <= 0) return 0;
    const arrived = this.bytes - this.#ratedBytes;
    if (arrived > 0 || this.requests.size > 0) {
      const current = (arrived / elapsed) * 1000;
      const weight = Math.min(1, elapsed / RATE_MEMORY_MS);
      this.rate = this.rate === 0 ? current : this.rate + (current - this.rate) * weight;
    }
    this.#ratedAt = now;
    this.#ratedBytes = this.bytes;
    return arrived;
  }
}

/** The picker's view of who owns what. */
export interface Rarity {
  ownerAdded(parts: PartList): void;
  ownerRemoved(parts: PartList): void;
}

export class PeerBook {
  readonly #connect: (address: NodeAddress) => PeerLink;
  readonly #onBan: OnBan;
  readonly #peers: Peer[] = [];
  readonly #byAddress = new Map<string, Peer>();
  #rarity: Rarity | null = null;

  constructor(connect: (address: NodeAddress) => PeerLink, onBan: OnBan = () => {}) {
    this.#connect = connect;
    this.#onBan = onBan;
  }

  get peers(): readonly Peer[] {
    return this.#peers;
  }

  /** Counts every listed owner in `rarity` from now on, instead of the one before. */
  countIn(rarity: Rarity): void {
    this.#rarity = rarity;
    for (const peer of this.#peers) if (peer.listed) rarity.ownerAdded(peer.named);
  }

  /** Takes a tracker's whole answer: new owners appear, part lists grow or shrink, owners not named any more rest unlisted. */
  update(owners: readonly Owner[], now: number): void {
    const named = new Set<Peer>();
    for (const { address, parts } of owners) {
      const key = addressKey(address);
      const known = this.#byAddress.get(key);
      if (known !== undefined) this.#relist(known, parts);
      else if (this.#peers.length < MAX_PEERS && hosts(address).length > 0)
        this.#add(key, address, parts, now);
      const peer = this.#byAddress.get(key);
      if (peer !== undefined) named.add(peer);
    }
    for (const peer of this.#peers) {
      if (!peer.listed || named.has(peer)) continue;
      peer.listed = false;
      this.#rarity?.ownerRemoved(peer.named);
    }
  }

  /** The texts that may stand behind a file's bytes in a salted id: every owner ever seen (PROTOCOL.md §6). */
  saltSuffixes(): string[] {
    return saltSuffixes(this.#peers.map(({ address }) => address));
  }

  /** The part is not asked of `senders` any more, but of everybody else. */
  exclude(part: PartIndex, senders: ReadonlySet<number>): void {
    for (const peer of this.#peers) {
      const changed = senders.has(peer.id) ? !peer.excluded.has(part) : peer.excluded.has(part);
      if (!changed) continue;
      if (!peer.excluded.delete(part)) peer.excluded.add(part);
      peer.parts = without(peer.named, peer.excluded);
    }
  }

  /** Of `parts`, each peer is asked for those that `may` says; of what is not in it, for all. Undoes `exclude`. */
  restrict(parts: readonly PartIndex[], may: (peer: Peer, part: PartIndex) => boolean): void {
    for (const peer of this.#peers) {
      peer.excluded.clear();
      for (const part of parts) if (!may(peer, part)) peer.excluded.add(part);
      peer.parts = without(peer.named, peer.excluded);
    }
  }

  /** Every peer may be asked for everything it has, but the banned ones. */
  forgive(): void {
    for (const peer of this.#peers) {
      peer.aside = false;
      peer.excluded.clear();
      peer.parts = peer.named;
    }
  }

  close(): void {
    for (const peer of this.#peers) peer.link.close();
  }

  #add(key: string, address: NodeAddress, parts: PartList, now: number): void {
    const peer = new Peer(this.#peers.length, address, parts, this.#connect(address), {
      now,
      onBan: this.#onBan,
    });
    this.#peers.push(peer);
    this.#byAddress.set(key, peer);
    this.#rarity?.ownerAdded(parts);
  }

  #relist(peer: Peer, named: PartList): void {
    peer.complete ||= named.isComplete;
    if (peer.listed && Buffer.compare(peer.named.bytes, named.bytes) === 0) return;
    if (peer.listed) this.#rarity?.ownerRemoved(peer.named);
    this.#rarity?.ownerAdded(named);
    peer.named = named;
    peer.parts = without(named, peer.excluded);
    peer.listed = true;
  }
}

function without(parts: PartList, excluded: ReadonlySet<PartIndex>): PartList {
  if (excluded.size === 0) return parts;
  const left = parts.clone();
  for (const part of excluded) left.remove(part);
  return left;
}
