import fc from 'fast-check';
import type { NodeAddress } from '../../src/model/address.js';
import { canonicalIp } from '../../src/model/address.js';
import type { FileMd5, PacketId, SessionId } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { cutUtf8 } from '../../src/model/utf8.js';
import type { FoundFile, Owner, Request } from '../../src/protocol/messages.js';

/** Every run draws the same cases: a failure is a failure for everybody. */
export const SEEDED = { seed: 20_260_101, numRuns: 300 };

function charsOf(alphabet: string, length: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length });
}

export const md5s = charsOf('0123456789abcdef', 32) as fc.Arbitrary<FileMd5>;
const ids = charsOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', 16);
export const sessions = ids as fc.Arbitrary<SessionId>;
const packets = ids as fc.Arbitrary<PacketId>;

/** A record like those a decoder makes: deepEqual tells prototypes apart. */
function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

/** Any UTF-16 at all: control characters, halves of surrogate pairs, right-to-left marks. */
export const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(...Buffer.from('./\\ CONcon:-1[]|')),
      fc.constant(0x202e),
    ),
    { maxLength: 300 },
  )
  .map((units) => String.fromCharCode(...units));

/** Text that survives a field of `width` bytes: well-formed, short enough, no blank at its end. */
export function fieldText(width: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'binary', maxLength: width })
    .map((text) => cutUtf8(text, width).replace(/ +$/, ''));
}

const v4s = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  .map((octets) => octets.join('.'))
  .filter((v4) => v4 !== '0.0.0.0');
const v6s = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => canonicalIp(groups.map((group) => group.toString(16)).join(':')))
  .filter((v6) => v6.includes(':') && v6 !== '::');
const ports = fc.integer({ min: 1, max: 65_535 });

/** Addresses as parsing makes them, with at least one half. */
export const addresses: fc.Arbitrary<NodeAddress> = fc.oneof(
  plain({ v4: v4s, v6: fc.constant(null), port: ports }),
  plain({ v4: fc.constant(null), v6: v6s, port: ports }),
  plain({ v4: v4s, v6: v6s, port: ports }),
);

const fileSizes = fc.integer({ min: 0, max: 9_999_999_999 });
const partSizes = fc.integer({ min: 1, max: 999_999 });
const parts = fc.nat(99_999_999);
const ttls = fc.nat(99);

export const requests: fc.Arbitrary<Request> = fc.oneof(
  plain({ command: fc.constant('LOGI' as const), address: addresses }),
  plain({
    command: fc.constant('ADDR' as const),
    session: sessions,
    fileSize: fileSizes,
    partSize: partSizes,
    name: fieldText(100),
    md5: md5s,
  }),
  plain({ command: fc.constant('LOOK' as const), session: sessions, text: fieldText(20) }),
  plain({ command: fc.constant('FCHU' as const), session: sessions, md5: md5s }),
  plain({ command: fc.constant('RPAD' as const), session: sessions, md5: md5s, part: parts }),
  plain({ command: fc.constant('LOGO' as const), session: sessions }),
  plain({ command: fc.constant('RETP' as const), md5: md5s, part: parts }),
  plain({
    command: fc.constant('QUER' as const),
    packet: packets,
    address: addresses,
    ttl: ttls,
    text: fieldText(20),
  }),
  plain({
    command: fc.constant('AQUE' as const),
    packet: packets,
    address: addresses,
    md5: md5s,
    name: fieldText(100),
  }),
  plain({ command: fc.constant('NEAR' as const), packet: packets, address: addresses, ttl: ttls }),
  plain({ command: fc.constant('ANEA' as const), packet: packets, address: addresses }),
  plain({ command: fc.constant('MIDS' as const), md5: md5s }),
  plain({ command: fc.constant('DELR' as const), session: sessions, md5: md5s }),
  plain({ command: fc.constant('CAPS' as const) }),
  plain({ command: fc.constant('QFIL' as const), version: fc.nat(99_999_999) }),
);

export const foundFiles: fc.Arbitrary<FoundFile> = plain({
  md5: md5s,
  name: fieldText(100),
  fileSize: fileSizes,
  partSize: fc.integer({ min: 262_144, max: 999_999 }),
});

export function partLists(partCount: number): fc.Arbitrary<PartList> {
  return fc
    .uint8Array({ minLength: Math.ceil(partCount / 8), maxLength: Math.ceil(partCount / 8) })
    .map((bytes) => PartList.fromBytes(bytes, partCount));
}

export function owners(partCount: number): fc.Arbitrary<Owner> {
  return plain({ address: addresses, parts: partLists(partCount) });
}
