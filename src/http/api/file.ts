/** A file as the API shows it. */
import { z } from 'zod';

export const PRIORITY = z.enum(['high', 'normal', 'low']);

const COUNT = z.int().min(0);
const LIMIT = z.int().min(1).nullable();

export const STATE = z.enum(['shared', 'queued', 'searching', 'downloading', 'waiting', 'paused', 'failed']);

export const FILE = z.object({
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  /** The MD5 while no tracker has given a name. */
  name: z.string(),
  /** 0 while no tracker has given one, as are the part size and count. */
  size: COUNT,
  partSize: COUNT,
  partCount: COUNT,
  state: STATE,
  magnet: z.string(),
  path: z.string().nullable(),
  stored: COUNT,
  parts: COUNT,
  rate: COUNT,
  peers: COUNT,
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  priority: PRIORITY.nullable(),
  uploadedBytes: COUNT,
});
export type ApiFile = z.infer<typeof FILE>;

export const ADDED_FILE = FILE.extend({
  /** Files that were found where it lies: a folder may hold more than this one. */
  files: z.int().min(1),
});
export type AddedFile = z.infer<typeof ADDED_FILE>;

const OWNER = z.object({
  address: z.string(),
  parts: COUNT,
  complete: z.boolean(),
  banned: z.boolean(),
  rate: COUNT,
});

export const FILE_DETAILS = FILE.extend({
  /** Base64 of the PartList, part 0 in the top bit of the first byte. */
  partMap: z.base64(),
  /** Base64 of a byte for each part: its owners besides this node, 255 for more; null while they are not known. */
  availability: z.base64().nullable(),
  owners: z.array(OWNER).max(100),
  limits: z.object({ upload: LIMIT, download: LIMIT }),
});
export type ApiFileDetails = z.infer<typeof FILE_DETAILS>;
