/** The OpenAPI 3.1 document, made of the endpoints themselves. */
import { z } from 'zod';
import { BASE, type Endpoint, endpoint } from './endpoint.js';

const ERROR = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const PARAMETERS = {
  md5: { schema: { type: 'string', pattern: '^[0-9a-fA-F]{32}$' }, description: 'MD5 of the file' },
  name: { schema: { type: 'string', minLength: 1, maxLength: 64 }, description: 'Name of the token' },
} as const;

/** Describes all of them, and itself. */
export function withOpenApi(endpoints: readonly Endpoint[], version: string): Endpoint[] {
  const all: Endpoint[] = [
    ...endpoints,
    endpoint({
      ...{ method: 'GET', path: `${BASE}/openapi.json`, scope: 'read', summary: 'This document' },
      answer: z.record(z.string(), z.unknown()),
      handle: () => document,
    }),
  ];
  const document = openApi(all, version);
  return all;
}

function openApi(endpoints: readonly Endpoint[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const each of endpoints) {
    const path = each.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [each.method.toLowerCase()]: operation(each) };
    if (each.head) paths[path] = { ...paths[path], head: operation({ ...each, answer: null }) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'BugTorrent', version },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: schemaOf(ERROR, 'output') },
    },
    security: [{ token: [] }, {}],
  };
}

function operation({ path, scope, summary, query, body, status = 200, answer }: Endpoint) {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true },
    ...PARAMETERS[name as keyof typeof PARAMETERS],
  }));
  return {
    summary,
    description: `Needs a token with the scope ${scope}, where tokens are needed.`,
    parameters: [...inPath, ...(query === undefined ? [] : inQuery(query))],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }),
    responses: {
      [status]: { description: summary, ...contentOf(answer) },
      default: {
        description: 'An error',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function inQuery(query: z.ZodObject) {
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }));
}

function contentOf(answer: Endpoint['answer']) {
  if (answer === null) return {};
  if (typeof answer === 'string') return { content: { [answer]: { schema: { type: 'string' } } } };
  return { content: { 'application/json': { schema: schemaOf(answer, 'output') } } };
}

function schemaOf(form: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(form, { io, target: 'draft-2020-12' });
  return schema;
}
