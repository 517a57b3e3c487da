import type { ApiFile, ApiFileDetails } from '../../src/http/api/file.js';
import type { Status } from '../../src/http/api/status.js';

const MEBIBYTE = 2 ** 20;

/** A file half of which is there. */
export function apiFile(fields: Partial<ApiFile> = {}): ApiFile {
  return {
    ...{ md5: 'a'.repeat(32), name: 'a.bin', size: 2 * MEBIBYTE, partSize: 262_144, partCount: 8 },
    ...{ state: 'downloading', magnet: 'magnet:?', path: null, stored: MEBIBYTE, parts: 4 },
    ...{ rate: MEBIBYTE, peers: 3, error: null, priority: 'normal', uploadedBytes: 0 },
    ...fields,
  };
}

export function apiFileDetails(fields: Partial<ApiFileDetails> = {}): ApiFileDetails {
  const partMap = Buffer.from([0b1111_0000]).toString('base64');
  return {
    ...apiFile(),
    partMap,
    availability: null,
    owners: [],
    limits: { upload: null, download: null },
    ...fields,
  };
}

/** A daemon that lacks nothing. */
export function apiStatus(fields: Partial<Status> = {}): Status {
  return {
    ...{ version: '1.2.3', uptimeSeconds: 61, node: { listen: '127.0.0.1:5000' } },
    totals: {
      ...{ files: 2, downloads: 1, bytesShared: 3 * MEBIBYTE, uploadRate: MEBIBYTE, downloadRate: 0 },
      ...{ uploadedBytes: 5 * MEBIBYTE, downloadedBytes: 0, peers: 1 },
    },
    slots: { inUse: 1, total: 4, queued: 2 },
    limits: { upload: null, download: MEBIBYTE },
    hashing: { files: 0, bytesLeft: 0 },
    diskFree: { downloads: 2 ** 35 },
    ...{ ready: true, missing: [] },
    ...fields,
  };
}
