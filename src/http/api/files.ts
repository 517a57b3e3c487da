import { z } from 'zod';
import { OperationalError, UsageError } from '../../core/errors.js';
import type { FileMd5 } from '../../model/ids.js';
import { type Magnet, parseMagnet } from '../../model/magnet.js';
import { allows } from '../scope.js';
import { BASE, type Endpoint, endpoint } from './endpoint.js';
import {
  ADDED_FILE,
  type AddedFile,
  type ApiFile,
  type ApiFileDetails,
  FILE,
  FILE_DETAILS,
  PRIORITY,
  STATE,
} from './file.js';

const MOST_LISTED = 1_000;
const MD5 = z.string().regex(/^[0-9a-fA-F]{32}$/, 'expected 32 hexadecimal digits');
const LIMIT = z.int().min(1).nullable();

const LIST_QUERY = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MOST_LISTED).default(100),
  state: z.enum(['all', ...STATE.options]).default('all'),
  /** In the name, whatever the case. */
  text: z.string().max(200).default(''),
  sort: z.enum(['name', 'size', 'added', 'state', 'rate']).default('name'),
  order: z.enum(['asc', 'desc']).default('asc'),
});
export type ListQuery = z.output<typeof LIST_QUERY>;

const LIST = z.object({
  total: z.int().min(0),
  offset: z.int().min(0),
  limit: z.int().min(1),
  files: z.array(FILE).max(MOST_LISTED),
});
export type FileList = z.infer<typeof LIST>;

const HOW = {
  paused: z.boolean().optional(),
  sequential: z.boolean().optional(),
  priority: PRIORITY.optional(),
};
const ADDITION = z.union([
  z.strictObject({ magnet: z.string().max(4_096), ...HOW }),
  z.strictObject({ md5: MD5, name: z.string().min(1).max(1_000).optional(), ...HOW }),
  /** Of a file or a folder of this machine. */
  z.strictObject({
    path: z
      .string()
      .min(1)
      .max(4_096)
      .regex(/^[^\0]*$/, 'no path has a null character'),
  }),
]);

const CHANGE = z.strictObject({
  priority: PRIORITY.optional(),
  sequential: z.boolean().optional(),
  uploadLimit: LIMIT.optional(),
  downloadLimit: LIMIT.optional(),
});
export type FileChange = z.infer<typeof CHANGE>;

const REMOVAL = z.object({ data: z.enum(['true', 'false']).default('false') });

export type HowToAdd = Partial<
  Pick<z.infer<(typeof ADDITION.options)[0]>, 'paused' | 'sequential' | 'priority'>
>;

/** The files of the daemon, shared ones and downloads. All of it throws UsageErrors and OperationalErrors. */
export interface Files {
  list(query: ListQuery): FileList;
  find(md5: FileMd5): ApiFile | null;
  details(md5: FileMd5): ApiFileDetails | null;
  download(magnet: Magnet, how: HowToAdd): Promise<AddedFile>;
  /** The file there, or one of the folder; it may still have to be hashed. */
  share(path: string): Promise<AddedFile>;
  pause(md5: FileMd5): Promise<void>;
  resume(md5: FileMd5): Promise<void>;
  change(md5: FileMd5, change: FileChange): Promise<void>;
  remove(md5: FileMd5, data: boolean): Promise<void>;
}

export function filesEndpoints(files: Files): Endpoint[] {
  const path = `${BASE}/files`;
  const one = `${path}/:md5`;
  const found = <T>(file: T | null): T => {
    if (file === null)
      throw new OperationalError('not-found', 'NO_SUCH_FILE', 'there is no file with this MD5');
    return file;
  };
  const then = async (md5: FileMd5, change: (md5: FileMd5) => Promise<void>): Promise<ApiFile> => {
    found(files.find(md5));
    await change(md5);
    return found(files.find(md5));
  };
  return [
    endpoint({
      ...{ method: 'GET', path, scope: 'read', summary: 'The files, a page of them' },
      query: LIST_QUERY,
      answer: LIST,
      handle: ({ query }) => files.list(query),
    }),
    endpoint({
      ...{ method: 'GET', path: one, scope: 'read', summary: 'One file, with its parts and owners' },
      answer: FILE_DETAILS,
      handle: ({ md5 }) => found(files.details(md5)),
    }),
    endpoint({
      ...{ method: 'POST', path, scope: 'add', summary: 'Adds a download, or (scope admin) shares a path' },
      body: ADDITION,
      status: 201,
      answer: ADDED_FILE,
      handle({ body, request }) {
        if (!('path' in body)) {
          const { paused, sequential, priority } = body;
          return files.download(magnetOf(body), { paused, sequential, priority });
        }
        if (allows(request.scopes, 'admin')) return files.share(body.path);
        throw new UsageError(
          'NOT_ALLOWED',
          'only a token with the scope admin can share files of this machine',
        );
      },
    }),
    endpoint({
      ...{ method: 'POST', path: `${one}/pause`, scope: 'admin', summary: 'Pauses a download' },
      answer: FILE,
      handle: ({ md5 }) => then(md5, (id) => files.pause(id)),
    }),
    endpoint({
      ...{ method: 'POST', path: `${one}/resume`, scope: 'admin', summary: 'Has a download go on' },
      answer: FILE,
      handle: ({ md5 }) => then(md5, (id) => files.resume(id)),
    }),
    endpoint({
      ...{ method: 'PATCH', path: one, scope: 'admin', summary: 'Changes how a file is treated' },
      body: CHANGE,
      answer: FILE,
      handle: ({ md5, body }) => then(md5, (id) => files.change(id, body)),
    }),
    endpoint({
      ...{ method: 'DELETE', path: one, scope: 'admin', summary: 'Ends a download, or stops sharing a file' },
      query: REMOVAL,
      status: 204,
      answer: null,
      async handle({ md5, query }) {
        found(files.find(md5));
        await files.remove(md5, query.data === 'true');
      },
    }),
  ];
}

function magnetOf(body: { magnet: string } | { md5: string; name?: string | undefined }): Magnet {
  if ('md5' in body) {
    const name = body.name ?? null;
    return { md5: body.md5.toLowerCase() as FileMd5, name, size: null, trackers: [] };
  }
  const magnet = parseMagnet(body.magnet);
  if (magnet !== null) return magnet;
  throw new UsageError('BAD_MAGNET', 'no magnet link with an MD5: expected magnet:?xt=urn:md5:…');
}
