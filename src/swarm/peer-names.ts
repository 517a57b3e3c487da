/**
 * By what a peer is known to the upload slots: its address, an IPv6 one by its /64; several ports are one peer. The two
 * halves of an address that a tracker names together are one peer too, known by the IPv4 one.
 *
 * Invariant: a network has one name. At most MAX_PAIRS pairs are remembered, those seen last.
 */
import { type NodeAddress, networkOf } from '../model/address.js';

const MAX_PAIRS = 4_096;

export class PeerNames {
  /** The IPv4 address that belongs to the /64. */
  readonly #pairs = new Map<string, string>();

  /** @param ip canonical */
  of(ip: string): string {
    const network = networkOf(ip);
    return this.#pairs.get(network) ?? network;
  }

  /** The name of a peer that a tracker named; null when it has no address. Remembers that its halves are one. */
  named({ v4, v6 }: Pick<NodeAddress, 'v4' | 'v6'>): string | null {
    if (v4 === null) return v6 === null ? null : this.of(v6);
    if (v6 !== null) this.#pair(networkOf(v6), v4);
    return v4;
  }

  #pair(network: string, v4: string): void {
    // Several hosts of one /64 are one peer: it keeps its name.
    const name = this.#pairs.get(network) ?? v4;
    this.#pairs.delete(network);
    this.#pairs.set(network, name);
    if (this.#pairs.size > MAX_PAIRS) this.#pairs.delete(this.#pairs.keys().next().value!);
  }
}
