import type { NodeAddress } from '../../src/model/address.js';
import { PartList } from '../../src/model/part-list.js';
import { decodeAfch } from '../../src/protocol/answers.js';
import { encodeAddress, encodeAfch } from '../../src/protocol/encode.js';
import type { Owner } from '../../src/protocol/messages.js';
import type { OwnerRecord } from '../../src/tracker/store.js';

/** The AFCH that names these owners. */
export function afchOf(owners: readonly Owner[]): Buffer {
  const records = owners.map(({ address, parts }) => ({
    address: encodeAddress(address),
    parts: parts.bytes,
  }));
  return encodeAfch(owners[0]?.parts.length ?? 0, records);
}

/** What a record says to whoever reads it from an AFCH. */
export function ownerOf(
  { address, parts }: OwnerRecord,
  partCount: number,
): Owner & { address: NodeAddress } {
  const bytes = parts ?? PartList.full(partCount).bytes;
  const [owner] = decodeAfch(partCount).push(encodeAfch(partCount, [{ address, parts: bytes }])) ?? [];
  if (owner === undefined) throw new Error('the record names nobody');
  return owner;
}
