import { Agent, type IncomingMessage, request } from 'node:http';
import { OperationalError, UsageError } from '../core/errors.js';
import type { HttpAddress } from '../daemon/setting-kinds.js';
import type { SettingName } from '../daemon/settings.js';
import type { HostPort } from '../model/address.js';
import { daemonAddress, urlOf } from './daemon-address.js';
import { tokenOf } from './http-token.js';
import { defaultStateDir } from './seedbox-options.js';

/** Of the commands that talk to a daemon. */
interface ClientInvocation {
  readonly settings: {
    readonly state: string | null;
    readonly http: HttpAddress | null;
    readonly 'http-token': string | null;
    readonly 'http-token-file': string | null;
  };
  givenBy(name: SettingName): string | null;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: { readonly signal: AbortSignal };
}

type Method = 'GET' | 'POST' | 'DELETE';
type Query = Readonly<Record<string, string>>;

const BASE = '/api/v1';
const ANSWER_WITHIN_MS = 10_000;
/** A page of a thousand files with the longest of names takes a few megabytes. */
const MOST_BYTES = 32 * 2 ** 20;
/** Requests of one frame of `top`, or pages of one list, at a time. */
const CONNECTIONS = 4;

/**
 * Asks a running daemon over its API. Everything rejects with what the command line can say: OperationalError 'network'
 * when nothing (or something else) answers, 'not-found' for what is not there, 'disk' for what it cannot read or write,
 * UsageError for what the daemon refuses.
 */
export class ApiClient {
  readonly #address: HostPort;
  readonly #token: string | null;
  readonly #signal: AbortSignal;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  constructor(address: HostPort, token: string | null, signal: AbortSignal) {
    this.#address = address;
    this.#token = token;
    this.#signal = signal;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#ask('GET', path, query) as Promise<T>;
  }

  /** For what the daemon takes its time over, it is given `withinMs`. */
  post<T>(path: string, body: object, withinMs?: number): Promise<T> {
    return this.#ask('POST', path, {}, body, withinMs) as Promise<T>;
  }

  async delete(path: string, query: Query): Promise<void> {
    await this.#ask('DELETE', path, query);
  }

  /** Ends its connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #ask(
    method: Method,
    path: string,
    query: Query,
    body?: object,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<unknown> {
    const words = new URLSearchParams(query);
    const { status, text } = await this.#exchange(method, `${BASE}${path}?${words}`, withinMs, body);
    if (status === 204) return null;
    const answer = parsed(text);
    if (answer === undefined) throw this.#foreign();
    if (status >= 200 && status < 300) return answer;
    throw this.#refusal(status, answer);
  }

  #exchange(
    method: Method,
    path: string,
    withinMs: number,
    body?: object,
  ): Promise<{ status: number; text: string }> {
    const { host, port } = this.#address;
    const content = body === undefined ? null : JSON.stringify(body);
    const headers = {
      ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(content === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request({ host, port, path, method, headers, agent: this.#agent, signal: this.#signal });
      const late = setTimeout(() => sent.destroy(this.#silent(withinMs)), withinMs);
      const settle = () => clearTimeout(late);
      sent.on('error', (error) => {
        settle();
        reject(this.#trouble(error));
      });
      sent.on('response', (response) => {
        readText(response)
          .then((text) => resolve({ status: response.statusCode ?? 0, text }))
          .catch((error: Error) => reject(this.#trouble(error)))
          .finally(settle);
      });
      sent.end(content);
    });
  }

  #trouble(error: Error): Error {
    if (error instanceof OperationalError || error.name === 'AbortError') return error;
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('HPE_')) return this.#foreign();
    return new OperationalError(
      'network',
      'NO_DAEMON',
      `no daemon answers at ${urlOf(this.#address)} (${code ?? error.message}): is it running, and is that where it serves HTTP?`,
      { cause: error },
    );
  }

  #silent(ms: number): Error {
    return new OperationalError(
      'network',
      'NO_ANSWER',
      `the daemon at ${urlOf(this.#address)} has not answered for ${ms / 1000} s: try again, or look at its log`,
    );
  }

  #foreign(): Error {
    return new OperationalError(
      'network',
      'NOT_A_DAEMON',
      `what answers at ${urlOf(this.#address)} is no bugtorrent daemon with an API: name another address with --http HOST:PORT`,
    );
  }

  #refusal(status: number, answer: unknown): Error {
    const { code, message } = Object(Object(answer).error) as { code?: unknown; message?: unknown };
    // The API itself says more than NOT_FOUND of what is not there.
    if (typeof code !== 'string' || typeof message !== 'string' || code === 'NOT_FOUND')
      return this.#foreign();
    if (status === 401) {
      const how = 'give it with --http-token-file FILE or BUGTORRENT_HTTP_TOKEN';
      const what = this.#token === null ? 'wants a token' : 'does not know this token';
      return new UsageError('WRONG_TOKEN', `the daemon at ${urlOf(this.#address)} ${what}: ${how}`);
    }
    if (status === 404) return new OperationalError('not-found', code, message);
    if (code === 'NO_PERMISSION') return new OperationalError('disk', code, `the daemon: ${message}`);
    if (status === 429 || status >= 500) {
      return new OperationalError(status === 507 ? 'disk' : 'network', code, `the daemon: ${message}`);
    }
    return new UsageError(code, message);
  }
}

/** Runs `talk` with the daemon that the settings name, and ends the connections after it. */
export async function withDaemon(
  { settings, givenBy, env, stop }: ClientInvocation,
  talk: (daemon: ApiClient) => Promise<void>,
): Promise<void> {
  const token = await tokenOf(settings, givenBy);
  const address = await daemonAddress(settings.http, settings.state ?? defaultStateDir(env));
  const daemon = new ApiClient(address, token, stop.signal);
  try {
    await talk(daemon);
  } finally {
    daemon.close();
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
