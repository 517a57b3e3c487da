import { OperationalError } from '../core/errors.js';
import type { HostPort } from '../model/address.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { Exchange, ExchangeFailure } from '../net/connection.js';
import {
  type AnswerDecoder,
  decodeAadr,
  decodeAdel,
  decodeAfch,
  decodeAloo,
  decodeApad,
  decodeLogout,
} from '../protocol/answers.js';
import { encodeRequest, foldToAscii } from '../protocol/encode.js';
import type { Command, FoundFile, Logout, Owner, Request } from '../protocol/messages.js';
import { AnswerExchange, type Outcome } from './answer-exchange.js';
import type { PartReport } from './part-reports.js';
import { ReportAnswers } from './report-answers.js';
import type { TrackerLogin } from './tracker-login.js';
import { away, isRefusal, refused, stopped, TRACKER_REFUSED } from './tracker-trouble.js';

export interface TrackerRequestsInit {
  readonly tracker: HostPort;
  readonly login: TrackerLogin;
  readonly submit: (exchange: Exchange) => void;
  /** Resolves when this node's files were registered again, as far as the tracker would have them. */
  readonly restored: () => Promise<void>;
}

type SessionRequest = Extract<Request, { readonly session: SessionId }>;

interface Question<T> {
  readonly request: (session: SessionId) => SessionRequest;
  readonly decoder: () => AnswerDecoder<T>;
  /** What it is about, for the error. */
  readonly about: string;
  /** After a new session, repeat it only when everything was registered again. Never for registering itself. */
  readonly waits: boolean;
  /** Means nothing under a new session: not repeated there. */
  readonly lapses?: boolean;
}

interface Answered<T> {
  readonly value: T;
  /** The session that the answered request was sent under. */
  readonly session: SessionId;
}

/**
 * The requests to one tracker that need a session. After a bare close the node logs in again once and repeats the
 * request once (PROTOCOL.md §2). Every method rejects with OperationalErrors only: TRACKER_REFUSED when the tracker
 * would not have the request, another one when it did not answer.
 */
export class TrackerRequests {
  readonly #init: TrackerRequestsInit;
  readonly #sent: Partial<Record<Command, number>> = {};
  readonly #refused: Partial<Record<Command, number>> = {};
  /** This tracker took a folded text after it had refused the true one. */
  #onlyAscii = false;
  #unanswered = 0;
  #cutShort = 0;

  constructor(init: TrackerRequestsInit) {
    this.#init = init;
  }

  /** Under a new session the tracker may be another one. */
  forgetHabits(): void {
    this.#onlyAscii = false;
  }

  /** At most 20 bytes of `text` are sent. An answer that is cut short gives the files that came whole. */
  look(text: string, waits: boolean): Promise<FoundFile[]> {
    return this.#orFolded(text, async (ricerca) => {
      const request = (session: SessionId) => ({ command: 'LOOK', session, text: ricerca }) as const;
      return (await this.#ask({ request, decoder: decodeAloo, about: `'${ricerca}'`, waits })).value;
    });
  }

  /** The owners of a file of `partCount` parts, this node too if the tracker lists it. */
  async owners(md5: FileMd5, partCount: number, waits: boolean): Promise<Owner[]> {
    const request = (session: SessionId) => ({ command: 'FCHU', session, md5 }) as const;
    return (await this.#ask({ request, decoder: () => decodeAfch(partCount), about: md5, waits })).value;
  }

  /** Registers the file: the #part that the tracker keeps, and the session that owns it now. */
  add({ md5, name, geometry }: Manifest) {
    const { fileSize, partSize } = geometry;
    return this.#orFolded(name, async (filename) => {
      const request = (session: SessionId) =>
        ({ command: 'ADDR', session, fileSize, partSize, name: filename, md5 }) as const;
      const about = `${md5} '${filename}'`;
      const { value, session } = await this.#ask({ request, decoder: decodeAadr, about, waits: false });
      return { partCount: value, session };
    });
  }

  async report({ md5, part }: PartReport): Promise<void> {
    const request = (session: SessionId) => ({ command: 'RPAD', session, md5, part }) as const;
    await this.#ask({ request, decoder: decodeApad, about: `part ${part} of ${md5}`, waits: false });
  }

  /** Many RPADs in one write, for a tracker that reads on; how many were answered before the connection ended. */
  async reportMany(reports: readonly PartReport[]): Promise<number> {
    const session = await this.#init.login.ready();
    const requests = reports.map(({ md5, part }) => encodeRequest({ command: 'RPAD', session, md5, part }));
    const exchange = new AnswerExchange(Buffer.concat(requests), new ReportAnswers(reports.length));
    const outcome = await this.#exchange('RPAD', exchange, reports.length);
    if (outcome.ok) return outcome.value;
    if (isRefusal(outcome.failure)) return 0;
    throw this.#unansweredError(outcome.failure);
  }

  /** Gives up ownership and source role; TRACKER_REFUSED also when the session was over, and all of that with it. */
  async withdraw(md5: FileMd5): Promise<void> {
    const request = (session: SessionId) => ({ command: 'DELR', session, md5 }) as const;
    await this.#ask({ request, decoder: decodeAdel, about: md5, waits: false, lapses: true });
  }

  /** Asks once: a session that is unknown there has left already. */
  async logout(): Promise<Logout> {
    const session = await this.#init.login.ready();
    const outcome = await this.#send({ command: 'LOGO', session }, decodeLogout());
    if (outcome.ok) return outcome.value;
    throw isRefusal(outcome.failure)
      ? refused(this.#init.tracker, 'LOGO', '')
      : this.#unansweredError(outcome.failure);
  }

  stats() {
    return {
      sent: { ...this.#sent },
      refused: { ...this.#refused },
      unanswered: this.#unanswered,
      cutShort: this.#cutShort,
    };
  }

  /** Trackers of others refuse requests with letters outside ASCII (PROTOCOL.md §6). */
  async #orFolded<T>(text: string, send: (text: string) => Promise<T>): Promise<T> {
    const folded = foldToAscii(text);
    if (this.#onlyAscii || folded === text) return send(folded);
    try {
      return await send(text);
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== TRACKER_REFUSED) throw error;
    }
    const value = await send(folded);
    this.#onlyAscii = true;
    return value;
  }

  async #ask<T>({ request, decoder, about, waits, lapses = false }: Question<T>): Promise<Answered<T>> {
    const { login, tracker, restored } = this.#init;
    let session = await login.ready();
    const { logins } = login;
    let outcome = await this.#send(request(session), decoder());
    if (!outcome.ok && isRefusal(outcome.failure)) {
      const before = session;
      // Whoever was refused under the same login shares the next one.
      session = login.logins === logins ? await login.again() : await login.ready();
      if (lapses && session !== before) throw refused(tracker, request(before).command, about);
      if (waits && session !== before) await restored();
      outcome = await this.#send(request(session), decoder());
    }
    if (outcome.ok) return { value: outcome.value, session };
    if (isRefusal(outcome.failure)) throw refused(tracker, request(session).command, about);
    throw this.#unansweredError(outcome.failure);
  }

  #send<T>(request: SessionRequest, decoder: AnswerDecoder<T>): Promise<Outcome<T>> {
    return this.#exchange(request.command, new AnswerExchange(encodeRequest(request), decoder), 1);
  }

  async #exchange<T>(command: Command, exchange: AnswerExchange<T>, requests: number): Promise<Outcome<T>> {
    this.#sent[command] = (this.#sent[command] ?? 0) + requests;
    this.#init.submit(exchange);
    const outcome = await exchange.outcome;
    if (!outcome.ok) {
      if (isRefusal(outcome.failure)) this.#refused[command] = (this.#refused[command] ?? 0) + 1;
      return outcome;
    }
    if (!outcome.whole) this.#cutShort++;
    this.#init.login.confirm();
    return outcome;
  }

  #unansweredError(failure: ExchangeFailure): OperationalError {
    const { tracker, login } = this.#init;
    // Closed by `stop`, or too many requests at once: nothing that the tracker did.
    if (failure.kind === 'aborted')
      return failure.error instanceof OperationalError ? failure.error : stopped(tracker);
    this.#unanswered++;
    if (failure.kind !== 'protocol') login.doubt();
    return away(tracker, failure);
  }
}
