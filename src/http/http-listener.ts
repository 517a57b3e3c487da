/**
 * The HTTP side of a tracker or a daemon: whatever routes it is given, behind the checks that hold for all of them.
 *
 * Invariant: a route runs only for a request whose Host is this listener's (on loopback) and that brings the token, if
 * there is one; only routes with `config.open` need no token. Without a token it listens on loopback alone.
 */
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { invariant, OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { BearerToken } from './bearer-token.js';
import { isLoopback, isOwnHost } from './host-check.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** No token is needed. */
    readonly open?: boolean;
  }
}

const MAX_CONNECTIONS = 1_000;
/** For the whole request to arrive. */
const REQUEST_MS = 10_000;
const MAX_BODY_BYTES = 65_536;

export interface HttpListenerInit {
  /** Port 0: a free one. */
  readonly listen: HostPort;
  /** What requests have to bring; null is for loopback only. */
  readonly token: string | null;
  readonly logger: Logger;
}

/** Adds routes of one kind to a listener that was not started yet. */
export type Routes = (app: FastifyInstance) => void;

export class HttpListener {
  readonly #init: HttpListenerInit;
  readonly #app: FastifyInstance;
  readonly #token: BearerToken | null;

  constructor(init: HttpListenerInit) {
    invariant(init.token !== null || isLoopback(init.listen.host), 'a listener for others has a token');
    this.#init = init;
    this.#token = init.token === null ? null : new BearerToken(init.token);
    this.#app = fastify({
      requestTimeout: REQUEST_MS,
      bodyLimit: MAX_BODY_BYTES,
      // A reader that takes its time must not keep the process from ending.
      forceCloseConnections: true,
    });
    this.#app.server.maxConnections = MAX_CONNECTIONS;
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

  /** Answers itself when it is not. */
  #isWelcome(request: FastifyRequest, reply: FastifyReply): boolean {
    const { host } = this.#init.listen;
    const { headers, routeOptions } = request;
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (isLoopback(host) && !isOwnHost(headers.host, host)) {
      refuse(reply, 403, 'FOREIGN_HOST', 'the Host header names another machine');
      return false;
    }
    if (this.#token === null || routeOptions.config.open === true || this.#token.isIn(headers.authorization))
      return true;
    refuse(reply.header('www-authenticate', 'Bearer'), 401, 'UNAUTHORIZED', 'a token is needed');
    return false;
  }

  #failed(error: unknown, reply: FastifyReply): void {
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
  void reply.code(status).send({ error: { code, message } });
}
