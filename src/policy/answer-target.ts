/**
 * Whom an answer may be sent to. AQUE and ANEA go to an address that the sender of a query only claims (PROTOCOL.md §5):
 * nobody may use this node to send connections to somebody else.
 *
 * Invariant: an unproven address gets at most CONNECTIONS_A_MINUTE connections in any 60 s, and none for SILENCE_MS once it
 * was due for one more; each of the two tables holds at most its bound. A network is what one host has: an IPv4 address,
 * or an IPv6 /64.
 */

import { hosts, type NodeAddress, networkOf } from '../model/address.js';
import { type AddressScope, addressScope } from '../model/address-scope.js';

export const CONNECTIONS_A_MINUTE = 25;
const MINUTE_MS = 60_000;
export const SILENCE_MS = 600_000;
/** A request proves the address that it came from for this long. */
const HEARD_FOR_MS = 600_000;
/** Who is heard again and again is noted no more often. */
const NOTED_EVERY_MS = 10_000;
/** A login so soon after an answer shows that the answer was wanted. */
const LOGIN_WITHIN_MS = 60_000;
/** How long that counts. */
const WANTED_FOR_MS = 3_600_000;
const LOWEST_PORT = 1_024;
const MAX_HEARD = 65_536;
const MAX_NETWORKS = 16_384;

export type TargetRefusal = 'target-port' | 'target-forbidden' | 'target-scope';
export type ConnectionRefusal = 'target-silent' | 'targets-full';

/** The one address that an answer goes to, or why there is none. */
export type Target = { readonly host: string; readonly port: number } | TargetRefusal;

/** @param localIp where the query arrived, in canonical form: a target must be as near */
export function answerTarget(address: NodeAddress, localIp: string): Target {
  const { port } = address;
  if (port < LOWEST_PORT) return 'target-port';
  const local = addressScope(localIp);
  let refusal: TargetRefusal = 'target-forbidden';
  for (const host of hosts(address)) {
    const scope: AddressScope | null = addressScope(host);
    if (scope === null) continue;
    if (scope === local) return { host, port };
    refusal = 'target-scope';
  }
  return refusal;
}

interface Network {
  /** When it was connected to while it was unproven, in the last minute; the oldest first. */
  readonly connections: number[];
  silentUntil: number;
  answeredAt: number;
  wantedAt: number;
}

export class AnswerTargets {
  /** By address, when it was last heard; the longest silent first. */
  readonly #heard = new Map<string, number>();
  /** The longest unused first. */
  readonly #networks = new Map<string, Network>();

  /** A request came from `ip`. `now` is in milliseconds, here and below. */
  heard(ip: string, now: number): void {
    const before = this.#heard.get(ip);
    if (before !== undefined && now - before < NOTED_EVERY_MS) return;
    this.#heard.delete(ip);
    this.#heard.set(ip, now);
    if (this.#heard.size > MAX_HEARD) this.#heard.delete(this.#heard.keys().next().value!);
  }

  /** Somebody logged in from `ip`. */
  loggedIn(ip: string, now: number): void {
    const network = this.#networks.get(networkOf(ip));
    if (network !== undefined && now - network.answeredAt <= LOGIN_WITHIN_MS) network.wantedAt = now;
  }

  /** It is there and knows of us, or wanted what it got. */
  isProven(ip: string, now: number): boolean {
    const heardAt = this.#heard.get(ip);
    if (heardAt !== undefined && now - heardAt <= HEARD_FOR_MS) return true;
    const wantedAt = this.#networks.get(networkOf(ip))?.wantedAt ?? Number.NEGATIVE_INFINITY;
    return now - wantedAt <= WANTED_FOR_MS;
  }

  /** Takes leave for one connection to `ip`: null when it may be made now. */
  connect(ip: string, now: number): ConnectionRefusal | null {
    const proven = this.isProven(ip, now);
    const network = this.#network(networkOf(ip), now);
    if (network === null) return proven ? null : 'targets-full';
    if (!proven) {
      if (now < network.silentUntil) return 'target-silent';
      const { connections } = network;
      while (connections.length > 0 && now - connections[0]! >= MINUTE_MS) connections.shift();
      if (connections.length >= CONNECTIONS_A_MINUTE) {
        network.silentUntil = now + SILENCE_MS;
        connections.length = 0;
        return 'target-silent';
      }
      connections.push(now);
    }
    network.answeredAt = now;
    return null;
  }

  /** Null when the table is full of networks that must not be forgotten yet. */
  #network(key: string, now: number): Network | null {
    let network = this.#networks.get(key);
    if (network === undefined && this.#networks.size >= MAX_NETWORKS) {
      const [oldest, unused] = this.#networks.entries().next().value!;
      if (now - unused.answeredAt < MINUTE_MS || now < unused.silentUntil) return null;
      this.#networks.delete(oldest);
    }
    network ??= {
      connections: [],
      silentUntil: Number.NEGATIVE_INFINITY,
      answeredAt: Number.NEGATIVE_INFINITY,
      wantedAt: Number.NEGATIVE_INFINITY,
    };
    this.#networks.delete(key);
    this.#networks.set(key, network);
    return network;
  }
}

/** From so many hops on, many others answer the same query. */
const MANY_AT_HOPS = 3;
const LONGEST_DELAY_MS = 1_000;

/**
 * Milliseconds to wait before answering, so that the asker is not answered by everybody at once. What `ttl` says of how
 * far the query goes is a lower bound: `relayed` means that it has come a hop further already.
 * @param random uniform in [0, 1)
 */
export function answerDelay(ttl: number, relayed: boolean, random: () => number): number {
  const hops = relayed ? ttl + 1 : ttl;
  return hops >= MANY_AT_HOPS ? random() * LONGEST_DELAY_MS : 0;
}
