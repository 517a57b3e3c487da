/**
 * The HTTP side of a tracker or a daemon: whatever routes it is given, behind the checks that hold for all of them.
 *
 * Invariant: a route runs only for a request whose Host is this listener's (on loopback), that no page of another site has
 * a browser send, and that brings a token which allows the route, if there are tokens; only routes with `config.open`
 * need none. Without a token in the settings it listens on loopback alone. No address has more than MOST_OF_ADDRESS of the
 * MAX_CONNECTIONS.
 */
import { STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Clock } from '../core/clock.js';
import { type BugTorrentError, invariant, OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { canonicalIp, formatHostPort, type HostPort } from '../model/address.js';
import { AddressTable } from '../policy/address-table.js';
import type { AccessTokens } from './access-tokens.js';
import { statusOf } from './error-status.js';
import { isLoopbackHost, isOwnHost, isOwnOrigin } from './host-check.js';
import { allows, type Scope } from './scope.js';
import { WrongTokens } from './wrong-tokens.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** No token is needed. */
    readonly open?: boolean;
    /** What a token has to allow; `admin` when left out. */
    readonly scope?: Scope;
  }
  interface FastifyRequest {
    /** What its token allows; everything where no token is needed. */
    scopes: readonly Scope[];
  }
}

const EVERYTHING: readonly Scope[] = ['admin'];
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const MAX_CONNECTIONS = 1_000;
/** Of one address, IPv6: of its /64; this machine's is one like the others. */
const MOST_OF_ADDRESS = 250;
/** For the whole request to arrive, on a new connection from its beginning. */
const REQUEST_MS = 10_000;
/** Late requests are looked for so often while one may be on its way. */
const CHECKS_OF_A_REQUEST = 10;
const UNREAD: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'TOO_SLOW', 'the request did not come in time'],
  HPE_HEADER_OVERFLOW: [431, 'TOO_LONG', 'the head of the request is too long'],
};
const MAX_BODY_BYTES = 65_536;
/** Between two tries of who is told to come later: when it can be done, nobody knows. */
const RETRY_SECONDS = 1;

export interface HttpListenerInit {
  /** Port 0: a free one. */
  readonly listen: HostPort;
  /** Without one in the settings: for loopback only. */
  readonly tokens: Pick<AccessTokens, 'areNeeded' | 'scopesIn'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the whole of a request to arrive; milliseconds. */
  readonly requestMs?: number;
}

/** Adds routes of one kind to a listener that was not started yet. */
export type Routes = (app: FastifyInstance) => void;

export class HttpListener {
  readonly #init: HttpListenerInit;
  readonly #app: FastifyInstance;
  readonly #wrong: WrongTokens;
  readonly #visitors = new AddressTable({
    ...{ connections: MOST_OF_ADDRESS, requestRate: Infinity, limitsLoopback: true },
  });

  constructor(init: HttpListenerInit) {
    const isOpen = !init.tokens.areNeeded;
    invariant(!isOpen || isLoopbackHost(init.listen.host), 'a listener for others has a token');
    this.#init = init;
    this.#wrong = new WrongTokens(init.clock);
    const { requestMs = REQUEST_MS } = init;
    this.#app = fastify({
      requestTimeout: requestMs,
      http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs / CHECKS_OF_A_REQUEST },
      bodyLimit: MAX_BODY_BYTES,
      frameworkErrors: (error, _, reply) => this.#failed(error, reply),
      clientErrorHandler: refuseUnread,
      // A reader that takes its time must not keep the process from ending.
      forceCloseConnections: true,
    });
    this.#app.server.maxConnections = MAX_CONNECTIONS;
    this.#app.server.on('connection', (socket) => this.#receive(socket));
    // A page of another site may have a browser send text, but not JSON.
    this.#app.removeContentTypeParser('text/plain');
    this.#app.decorateRequest('scopes');
    this.#app.addHook('onRequest', (request, reply, done) => {
      if (this.#isWelcome(request, reply)) done();
    });
    this.#app.setNotFoundHandler((_, reply) => refuse(reply, 404, 'NOT_FOUND', 'there is nothing here'));
    this.#app.setErrorHandler((error, _, reply) => this.#failed(error, reply));
  }

  add(routes: Routes): void {
    routes(this.#app);
  }

  /** Resolves with what the system gave. Rejects with OperationalError 'HTTP_LISTEN'; a listener is started once. */
  async start(): Promise<HostPort> {
    const { host, port } = this.#init.listen;
    try {
      await this.#app.listen({ host, port });
    } catch (cause) {
      await this.#app.close();
      const at = formatHostPort(host, port);
      throw new OperationalError(
        'network',
        'HTTP_LISTEN',
        `cannot serve HTTP on ${at}: ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
    return { host, port: (this.#app.server.address() as AddressInfo).port };
  }

  /** Cuts every connection off. Idempotent. */
  async stop(): Promise<void> {
    await this.#app.close();
  }

  #receive(socket: Socket): void {
    const { clock } = this.#init;
    const visit = this.#visitors.enter(canonicalIp(socket.remoteAddress ?? ''), clock.now());
    if (visit === null) socket.destroy();
    else socket.once('close', () => visit.leave(clock.now()));
  }

  /** Answers itself when it is not. */
  #isWelcome(request: FastifyRequest, reply: FastifyReply): boolean {
    const { host } = this.#init.listen;
    const { headers, method } = request;
    reply
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff')
      .header('cross-origin-resource-policy', 'same-origin');
    if (isLoopbackHost(host) && !isOwnHost(headers.host, host)) {
      refuse(reply, 403, 'FOREIGN_HOST', 'the Host header names another machine');
      return false;
    }
    if (!READING.has(method) && headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host)) {
      refuse(reply, 403, 'FOREIGN_ORIGIN', 'pages of other sites cannot change anything here');
      return false;
    }
    return this.#mayPass(request, reply);
  }

  #mayPass(request: FastifyRequest, reply: FastifyReply): boolean {
    const { headers, routeOptions, ip } = request;
    const { open = false, scope = 'admin' } = routeOptions.config;
    const { tokens } = this.#init;
    if (!tokens.areNeeded || open) {
      request.scopes = tokens.areNeeded ? [] : EVERYTHING;
      return true;
    }
    const wait = headers.authorization === undefined ? 0 : this.#wrong.wait(ip);
    if (wait > 0) {
      reply.header('retry-after', Math.ceil(wait / 1000));
      refuse(reply, 429, 'TOO_MANY_TRIES', 'too many wrong tokens: try again later');
      return false;
    }
    const scopes = tokens.scopesIn(headers.authorization);
    if (scopes === null) {
      if (headers.authorization !== undefined) this.#wrong.wrong(ip);
      refuse(reply.header('www-authenticate', 'Bearer'), 401, 'UNAUTHORIZED', 'a token is needed');
      return false;
    }
    this.#wrong.right(ip);
    request.scopes = scopes;
    if (request.is404 || allows(scopes, scope)) return true;
    refuse(reply, 403, 'NOT_ALLOWED', `the token has not the scope ${scope}`);
    return false;
  }

  #failed(error: unknown, reply: FastifyReply): void {
    const told = statusOf(error);
    if (told !== null) {
      const { code, message } = error as BugTorrentError;
      if (told === 503) reply.header('retry-after', RETRY_SECONDS);
      refuse(reply, told, code, message);
      return;
    }
    const {
      statusCode = 500,
      code,
      message,
    } = error as { statusCode?: number; code?: string; message?: string };
    if (statusCode < 500) {
      refuse(reply, statusCode, code ?? 'BAD_REQUEST', message ?? 'the request cannot be understood');
      return;
    }
    this.#init.logger.error({ error }, 'a request over HTTP failed');
    refuse(reply, statusCode, 'UNEXPECTED', 'unexpected error; the log has more');
  }
}

/** Every answer but a success has this form. */
function refuse(reply: FastifyReply, status: number, code: string, message: string): void {
  void reply.code(status).send(refusal(code, message));
}

const refusal = (code: string, message: string) => ({ error: { code, message } });

/** Of what is no request that could be answered: the parser gave up on it, or it did not come in time. */
function refuseUnread({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || socket.destroyed) return;
  const [status, ...told] = UNREAD[code] ?? [400, 'BAD_REQUEST', 'this is no HTTP request'];
  const body = JSON.stringify(refusal(...told));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}
