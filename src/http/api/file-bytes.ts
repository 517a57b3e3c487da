/** The bytes of a file, whole or in part, also of one that is on its way: what is read is fetched first. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OperationalError, UsageError } from '../../core/errors.js';
import type { FileMd5 } from '../../model/ids.js';
import { type ByteRange, rangeIn } from '../byte-range.js';
import { disposition, mediaType } from '../media-type.js';
import { type Endpoint, endpoint } from './endpoint.js';

/** Each may hold a file open and two chunks in memory. */
const MOST_READERS = 256;

export interface ReadableFile {
  /** Of a stranger's choosing. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Holds nothing before the first chunk is asked for. Throws when `signal` aborts, and UsageError 'CHANGED'. */
  read(range: ByteRange, signal: AbortSignal): AsyncIterable<Buffer>;
}

export interface FileBytes {
  /** Null: there is no such file. Throws UsageError 'NOT_RUNNING' of a download that does not run, 'CHANGED'. */
  open(md5: FileMd5): Promise<ReadableFile | null>;
}

export function fileBytesEndpoints(files: FileBytes): Endpoint[] {
  let readers = 0;
  const send = (reply: FastifyReply, file: ReadableFile, range: ByteRange): FastifyReply => {
    if (readers >= MOST_READERS)
      throw new UsageError('TOO_MANY_READERS', `${MOST_READERS} files are being read: try again later`);
    readers++;
    const gone = new AbortController();
    reply.raw.once('close', () => {
      readers--;
      gone.abort();
    });
    return reply.send(Readable.from(file.read(range, gone.signal)));
  };
  return [
    endpoint({
      ...{ method: 'GET', path: '/files/:md5', scope: 'read', summary: 'The bytes of a file; takes a Range' },
      head: true,
      answer: 'application/octet-stream',
      async handle({ md5, request, reply }) {
        const file = await files.open(md5);
        if (file === null)
          throw new OperationalError('not-found', 'NO_SUCH_FILE', 'there is no file with this MD5');
        const etag = `"${md5}"`;
        describe(reply, file.name, etag);
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        const range = rangeOf(request, file.size, etag);
        if (range === 'unsatisfiable') {
          reply.header('content-range', `bytes */${file.size}`).type('application/json');
          const error = { code: 'RANGE', message: `the file has ${file.size} bytes` };
          return reply.code(416).send({ error });
        }
        const { start, end } = range ?? { start: 0, end: file.size };
        reply.code(range === null ? 200 : 206).header('content-length', end - start);
        if (range !== null) reply.header('content-range', `bytes ${start}-${end - 1}/${file.size}`);
        return request.method === 'HEAD' ? reply.send() : send(reply, file, { start, end });
      },
    }),
  ];
}

function describe(reply: FastifyReply, name: string, etag: string): void {
  const { type, isShown } = mediaType(name);
  reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, no-cache')
    // It comes from strangers: whatever it is, it does nothing in the name of this listener.
    .header('content-security-policy', "sandbox; default-src 'none'; media-src 'self'; img-src 'self'")
    .header('content-disposition', disposition(name, isShown))
    .type(type);
}

/** A range of another version is not one of this. */
function rangeOf({ headers }: FastifyRequest, size: number, etag: string): ReturnType<typeof rangeIn> {
  const condition = headers['if-range'];
  return condition === undefined || condition === etag ? rangeIn(headers.range, size) : null;
}
