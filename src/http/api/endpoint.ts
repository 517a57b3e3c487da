/** One request that the API answers: what it takes, what it gives, who may ask. Routes and the OpenAPI document are made of it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UsageError } from '../../core/errors.js';
import { type FileMd5, parseFileMd5 } from '../../model/ids.js';
import type { Routes } from '../http-listener.js';
import type { Scope } from '../scope.js';

export const BASE = '/api/v1';

const NAME = z.string().min(1).max(64);

interface Asked<Q, B> {
  /** Of a path with `:md5`. */
  readonly md5: FileMd5;
  /** Of a path with `:name`. */
  readonly name: string;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Whole, with `:md5` or `:name` in it. */
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** 200 when left out. */
  readonly status?: number;
  /** The handler answers HEAD as well; where the answer is JSON, HEAD is answered without it. */
  readonly head?: boolean;
  /** Form of a JSON answer, or the media type of another; null: there is no body. */
  readonly answer: z.ZodType | string | null;
  readonly handle: (asked: Asked<never, never>) => unknown;
}

interface Declared<Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType | string | null>
  extends Omit<Endpoint, 'handle'> {
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  /** What is not JSON it sends itself, and gives the reply. */
  readonly handle: (asked: Asked<z.output<Q>, z.output<B>>) => Given<A> | Promise<Given<A>>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: handlers without an answer return nothing
type Given<A> = A extends z.ZodType ? z.output<A> : A extends string ? FastifyReply : void;

/** Checks at compile time that the handler takes and gives what is declared. */
export function endpoint<
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
  A extends z.ZodType | string | null = null,
>(declared: Declared<Q, B, A>): Endpoint {
  return declared as unknown as Endpoint;
}

export function routesOf(endpoints: readonly Endpoint[]): Routes {
  return (app) => {
    for (const {
      method,
      path,
      scope,
      status = 200,
      answer,
      query,
      body,
      head = false,
      handle,
    } of endpoints) {
      app.route({
        method: head ? ['GET', 'HEAD'] : method,
        exposeHeadRoute: !head && typeof answer !== 'string',
        url: path,
        config: { scope },
        handler: async (request, reply) => {
          const { md5, name } = request.params as { md5?: string; name?: string };
          const asked = {
            md5: md5 === undefined ? null : md5In(md5),
            name: name === undefined ? null : parsed(NAME, name, 'name'),
            query: query === undefined ? {} : parsed(query, request.query, 'query'),
            body: body === undefined ? null : parsed(body, request.body, 'body'),
            request,
            reply,
          };
          const given = await handle(asked as never);
          if (typeof answer === 'string') return reply;
          return reply.code(status).send(answer === null ? undefined : given);
        },
      });
    }
  };
}

function md5In(text: string): FileMd5 {
  const md5 = parseFileMd5(text);
  if (md5 === null) throw new UsageError('BAD_MD5', 'an MD5 has 32 hexadecimal digits');
  return md5;
}

function parsed<T extends z.ZodType>(form: T, value: unknown, what: string): z.output<T> {
  const { success, data, error } = form.safeParse(value);
  if (success) return data;
  const [issue] = error.issues as [z.core.$ZodIssue];
  const { path, message } = nearestIssue(form, issue);
  throw new UsageError('BAD_REQUEST', `${[what, ...path].join('.')}: ${message}`);
}

/** Of several forms, what is wrong by the one that fits best; where none does, which there are. */
function nearestIssue(form: z.ZodType, issue: z.core.$ZodIssue): Pick<z.core.$ZodIssue, 'path' | 'message'> {
  if (!(form instanceof z.ZodUnion) || issue.code !== 'invalid_union') return issue;
  const [best = [], next = []] = issue.errors.toSorted((a, b) => a.length - b.length);
  if (best.length < next.length) return best[0]!;
  return { path: issue.path, message: `expected ${form.options.map(keysOf).join(' or ')}` };
}

/** `{path, name?}` */
function keysOf(form: z.core.$ZodType): string {
  if (!(form instanceof z.ZodObject)) return 'another form';
  const keys = Object.entries(form.shape as Record<string, z.ZodType>);
  return `{${keys.map(([key, { type }]) => (type === 'optional' ? `${key}?` : key)).join(', ')}}`;
}
