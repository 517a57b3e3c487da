/**
 * The server-sent events of the daemon, for as long as the page is open. (EventSource cannot send a token.)
 *
 * Invariant: at most one stream is open; when it ends or is silent too long, the next is tried after a pause that grows.
 */
import { type Api, ApiError } from './api.js';

/** Status comes each second. */
const SILENCE_MS = 15_000;
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 15_000;
const MAX_EVENT_CHARS = 16_777_216;

export interface EventSink {
  /** A stream was opened: what was missed in between has to be asked for. */
  opened(): void;
  event(name: string, data: unknown): void;
  /** It broke; another try follows. `why` is for people. */
  lost(why: string): void;
}

/** Never resolves. */
export async function followEvents(api: Api, sink: EventSink): Promise<never> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
    const ending = new AbortController();
    let why = 'No connection';
    try {
      const stream = await api.stream('/events', ending.signal);
      sink.opened();
      pause = FIRST_PAUSE_MS;
      await read(stream, ending, sink);
    } catch (error) {
      // A broken stream needs what an ended one needs; a refused one may say why.
      if (error instanceof ApiError && error.status !== 0) why = error.message;
    }
    ending.abort();
    sink.lost(why);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function read(stream: ReadableStream<Uint8Array>, ending: AbortController, sink: EventSink) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const silence = setTimeout(() => ending.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    text += decoder.decode(value, { stream: true }).replaceAll('\r', '');
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    if (text.length > MAX_EVENT_CHARS) throw new RangeError('an event without an end');
    for (const block of blocks) dispatch(block, sink);
  }
}

function dispatch(block: string, sink: EventSink): void {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).replace(/^ /, '');
    if (line.startsWith('event:')) name = value;
    else if (line.startsWith('data:')) data.push(value);
  }
  if (data.length > 0) sink.event(name, JSON.parse(data.join('\n')));
}
