/**
 * The owners of one file as several trackers name them.
 *
 * Invariant: no two of `owners` share a port and an address. A peer that one tracker knows by its IPv4 half and another
 * by both is one owner, with the parts that either names.
 */
import { formatHostPort, hosts } from '../model/address.js';
import type { Owner } from '../protocol/messages.js';

export class OwnerMerge {
  readonly #byName = new Map<string, Owner>();

  get owners(): Owner[] {
    return [...new Set(this.#byName.values())];
  }

  add(owners: readonly Owner[]): void {
    for (const owner of owners) this.#add(owner);
  }

  #add(owner: Owner): void {
    const known = new Set(namesOf(owner).flatMap((name) => this.#byName.get(name) ?? []));
    let merged = owner;
    for (const other of known) merged = union(other, merged);
    for (const name of namesOf(merged)) this.#byName.set(name, merged);
  }
}

function namesOf({ address }: Owner): string[] {
  return hosts(address).map((host) => formatHostPort(host, address.port));
}

function union(a: Owner, b: Owner): Owner {
  const address = {
    v4: a.address.v4 ?? b.address.v4,
    v6: a.address.v6 ?? b.address.v6,
    port: a.address.port,
  };
  if (a.parts.isComplete) return { address, parts: a.parts };
  const parts = a.parts.clone();
  for (const part of b.parts) parts.add(part);
  return { address, parts };
}
