/**
 * Server-sent events: the status each second, and the files that changed since.
 *
 * Invariant: the timer runs, and changes are noted, exactly while there are streams. A stream whose reader is SLOW_BYTES
 * behind is ended; it may come again.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock, Timer } from '../../core/clock.js';
import { UsageError } from '../../core/errors.js';
import type { FileMd5 } from '../../model/ids.js';
import { BASE, type Endpoint, endpoint } from './endpoint.js';
import type { ApiFile } from './file.js';
import type { Status } from './status.js';

const MOST_STREAMS = 64;
const TICK_MS = 1_000;
const MOST_CHANGED = 1_000;
const SLOW_BYTES = 262_144;

export interface EventSource {
  status(): Status;
  find(md5: FileMd5): ApiFile | null;
  /** Calls `watcher` with each file that changes, until the result is called. */
  watch(watcher: (md5: FileMd5) => void): () => void;
  /** Files whose numbers change all the time. */
  moving(): Iterable<FileMd5>;
}

export class EventStreams {
  readonly #source: EventSource;
  readonly #clock: Clock;
  readonly #streams = new Set<ServerResponse>();
  readonly #changed = new Set<FileMd5>();
  #timer: Timer | null = null;
  #unwatch: (() => void) | null = null;

  constructor(source: EventSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  get endpoints(): Endpoint[] {
    return [
      endpoint({
        ...{ method: 'GET', path: `${BASE}/events`, scope: 'read', summary: 'Events `status` and `files`' },
        answer: 'text/event-stream',
        handle: ({ reply }) => this.#open(reply),
      }),
    ];
  }

  stop(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
    this.#rest();
  }

  #open(reply: FastifyReply): FastifyReply {
    if (this.#streams.size >= MOST_STREAMS)
      throw new UsageError('TOO_MANY_STREAMS', `${MOST_STREAMS} programs follow the events already`);
    const { raw } = reply;
    reply.header('content-type', 'text/event-stream').hijack();
    raw.writeHead(200, reply.getHeaders() as Record<string, string>);
    raw.once('close', () => {
      this.#streams.delete(raw);
      if (this.#streams.size === 0) this.#rest();
    });
    this.#streams.add(raw);
    raw.write(`: keep-alive\n\n${this.#statusEvent}`);
    this.#unwatch ??= this.#source.watch((md5) => this.#changed.add(md5));
    this.#timer ??= this.#clock.after(TICK_MS, () => this.#tick());
    return reply;
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#unwatch?.();
    this.#unwatch = null;
    this.#changed.clear();
  }

  #tick(): void {
    this.#timer = this.#clock.after(TICK_MS, () => this.#tick());
    const text = this.#statusEvent + this.#filesEvent;
    for (const stream of this.#streams) {
      if (stream.writableLength > SLOW_BYTES) stream.destroy();
      else stream.write(text);
    }
  }

  get #statusEvent(): string {
    return eventText('status', this.#source.status());
  }

  /** Of more changes, the rest comes the next time. */
  get #filesEvent(): string {
    for (const md5 of this.#source.moving()) this.#changed.add(md5);
    const changed: ApiFile[] = [];
    const removed: FileMd5[] = [];
    for (const md5 of this.#changed) {
      if (changed.length + removed.length >= MOST_CHANGED) break;
      this.#changed.delete(md5);
      const file = this.#source.find(md5);
      if (file === null) removed.push(md5);
      else changed.push(file);
    }
    return changed.length + removed.length === 0 ? '' : eventText('files', { changed, removed });
  }
}

/** JSON has no line breaks of its own, which would end the data. */
const eventText = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
