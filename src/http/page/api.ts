/**
 * The daemon's API as the page calls it.
 *
 * Invariant: every request brings the token, if there is one; while the user is asked for one, requests that were refused
 * wait for the one answer.
 */
const ROOT = '/api/v1';
/** Lives as long as the tab. */
const STORED = 'bugtorrent.token';
const TIMEOUT_MS = 30_000;

/** The API refused; the message is for people. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

/** Resolves with what the user gave; `wrong` says that another one was tried before. */
export type AskToken = (wrong: boolean) => Promise<string>;

export class Api {
  readonly #ask: AskToken;
  #asking: Promise<void> | null = null;

  constructor(ask: AskToken) {
    this.#ask = ask;
  }

  get hasToken(): boolean {
    return sessionStorage.getItem(STORED) !== null;
  }

  /** `path` is below /api/v1. Rejects with ApiError, also when nobody answers (status 0). */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#send(method, path, body, () => AbortSignal.timeout(TIMEOUT_MS));
    return (response.status === 204 ? undefined : await readJson(response)) as T;
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  /** An answer that goes on until `signal` is aborted. Rejects as `call` does. */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return (await this.#send('GET', path, undefined, () => signal)).body!;
  }

  /** `signal` is called for each try: the user may take long to find a token. */
  async #send(method: string, path: string, body: unknown, signal: () => AbortSignal): Promise<Response> {
    for (;;) {
      const token = sessionStorage.getItem(STORED);
      const headers = new Headers({ accept: 'application/json, text/event-stream' });
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      if (body !== undefined) headers.set('content-type', 'application/json');
      let response: Response;
      try {
        const sent = body === undefined ? {} : { body: JSON.stringify(body) };
        response = await fetch(ROOT + path, {
          method,
          headers,
          signal: signal(),
          cache: 'no-store',
          ...sent,
        });
      } catch {
        throw new ApiError(0, 'UNREACHABLE', 'The daemon does not answer. Is it still running?');
      }
      if (response.ok) return response;
      if (response.status !== 401) throw await refusal(response);
      await this.#renew(token);
    }
  }

  async #renew(refused: string | null): Promise<void> {
    if (sessionStorage.getItem(STORED) !== refused) return;
    this.#asking ??= this.#ask(refused !== null)
      .then((token) => sessionStorage.setItem(STORED, token))
      .finally(() => {
        this.#asking = null;
      });
    await this.#asking;
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const { error } = ((await readJson(response).catch(() => null)) ?? {}) as {
    error?: { code?: string; message?: string };
  };
  return new ApiError(
    response.status,
    error?.code ?? 'REFUSED',
    error?.message ?? `the daemon answered ${response.status}`,
  );
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new ApiError(response.status, 'NO_JSON', 'The answer of the daemon cannot be read.');
  }
}
