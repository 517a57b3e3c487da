/** The bytes of a file, whole or in part, also of one that is on its way: what is read is fetched first. */
import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OperationalError, UsageError } from '../../core/errors.js';
import { canonicalIp } from '../../model/address.js';
import type { FileMd5 } from '../../model/ids.js';
import { type ByteRange, rangeIn } from '../byte-range.js';
import { isNamed } from '../entity-tag.js';
import { disposition, mediaType } from '../media-type.js';
import { type Endpoint, endpoint } from './endpoint.js';

/** Each holds two parts of the memory at most. */
const MOST_READERS = 256;
/** A reader that takes nothing for so long is cut off: it can come back for the rest. */
const STALLED_MS = 60_000;

export interface ReadableFile {
  /** Of a stranger's choosing. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Holds nothing before the first bytes are asked for; what was given may be touched until the next are. Throws
   * OperationalError, also when `signal` aborts.
   */
  read(range: ByteRange, reader: Reader): AsyncIterable<readonly Buffer[]>;
}

interface Reader {
  /** Canonical. */
  readonly ip: string;
  readonly signal: AbortSignal;
}

export interface FileBytes {
  /** Null: there is no such file. Throws UsageError 'NOT_RUNNING' of a download that does not run, 'CHANGED'. */
  open(md5: FileMd5): Promise<ReadableFile | null>;
}

/** @param stalledMs how long a reader may take nothing of what is there for it */
export function fileBytesEndpoints(files: FileBytes, stalledMs = STALLED_MS): Endpoint[] {
  let readers = 0;
  const send = (request: FastifyRequest, reply: FastifyReply, file: ReadableFile, range: ByteRange) => {
    if (readers >= MOST_READERS)
      throw new UsageError('TOO_MANY_READERS', `${MOST_READERS} files are being read: try again later`);
    readers++;
    const { raw } = reply.hijack();
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    const ip = canonicalIp(request.ip);
    const read = (signal: AbortSignal) => file.read(range, { ip, signal });
    void sendTo({ raw, socket: request.raw.socket, stalledMs }, read).finally(() => {
      readers--;
    });
    return reply;
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
        if (isNamed(request.headers['if-none-match'], etag)) return reply.code(304).send();
        const range = rangeOf(request, file.size, etag);
        if (range === 'unsatisfiable') {
          reply.header('content-range', `bytes */${file.size}`).type('application/json');
          const error = { code: 'RANGE', message: `the file has ${file.size} bytes` };
          return reply.code(416).send({ error });
        }
        const { start, end } = range ?? { start: 0, end: file.size };
        reply.code(range === null ? 200 : 206).header('content-length', end - start);
        if (range !== null) reply.header('content-range', `bytes ${start}-${end - 1}/${file.size}`);
        return request.method === 'HEAD' ? reply.send() : send(request, reply, file, { start, end });
      },
    }),
  ];
}

/** Where an answer goes. */
interface Answering {
  readonly raw: ServerResponse;
  readonly socket: Socket;
  readonly stalledMs: number;
}

/** Ends the response, or the connection where the bytes cannot be had; never rejects. */
async function sendTo(
  to: Answering,
  read: (signal: AbortSignal) => AsyncIterable<readonly Buffer[]>,
): Promise<void> {
  const { raw, socket } = to;
  const gone = endOf(socket);
  try {
    // Behind other answers on its connection, it would only hold what it has read.
    if (raw.socket === null) await turnOf(raw, gone);
    for await (const bytes of read(gone)) await taken(to, bytes);
    raw.end();
  } catch {
    // The length was promised, so that the reader sees that the rest is missing.
    socket.destroy();
  }
}

const ends = new WeakMap<Socket, AbortSignal>();

/** Aborted when the connection is gone: one for all requests that come over it. */
function endOf(socket: Socket): AbortSignal {
  const known = ends.get(socket);
  if (known !== undefined) return known;
  const gone = new AbortController();
  // No leak: there is one for each reader.
  setMaxListeners(MOST_READERS, gone.signal);
  if (socket.destroyed) gone.abort();
  else socket.once('close', () => gone.abort());
  ends.set(socket, gone.signal);
  return gone.signal;
}

function turnOf(raw: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(gone.reason);
    if (gone.aborted) left();
    gone.addEventListener('abort', left);
    raw.once('socket', () => {
      gone.removeEventListener('abort', left);
      resolve();
    });
  });
}

/** Resolves when the system has taken the bytes, and all others had a turn. */
async function taken({ raw, socket, stalledMs }: Answering, bytes: readonly Buffer[]): Promise<void> {
  // Until its close is told, a response drops what is written to a destroyed socket, and never calls back.
  if (socket.destroyed) throw new OperationalError('interrupted', 'INTERRUPTED', 'the reader has gone');
  // Node's server destroys a socket that nothing moved on for so long.
  socket.setTimeout(stalledMs);
  await new Promise<void>((resolve, reject) => {
    for (const [at, each] of bytes.entries())
      raw.write(each, at < bytes.length - 1 ? undefined : (error) => (error ? reject(error) : resolve()));
  });
  socket.setTimeout(0);
  await new Promise((resolve) => setImmediate(resolve));
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
