import assert from 'node:assert/strict';
import { canonicalIp, type NodeAddress } from '../../src/model/address.js';
import { partGeometry } from '../../src/model/geometry.js';
import { type FileMd5, parseFileMd5, parseSessionId, type SessionId } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';

/** An IPv4-only peer, unless an IPv6 half is given. */
export function peerAddress(v4: string | null, port = 5000, v6: string | null = null): NodeAddress {
  return { v4, v6: v6 === null ? null : canonicalIp(v6), port };
}

export function sessionId(n: number): SessionId {
  const id = parseSessionId(`SESSION${String(n).padStart(9, '0')}`);
  assert.ok(id !== null);
  return id;
}

export function fileMd5(n: number): FileMd5 {
  const md5 = parseFileMd5(n.toString(16).padStart(32, '0'));
  assert.ok(md5 !== null);
  return md5;
}

/** File number `n`: `partCount` parts of `partSize` bytes. */
export function sharedFile(n: number, name: string, partCount = 3, partSize = 1000): Manifest {
  return { md5: fileMd5(n), name, geometry: partGeometry(partCount * partSize, partSize) };
}
