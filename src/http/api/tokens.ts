import { z } from 'zod';
import { OperationalError } from '../../core/errors.js';
import { SCOPES, type Scope } from '../scope.js';
import { BASE, type Endpoint, endpoint } from './endpoint.js';

const NAME = z.string().min(1).max(64);
const GRANTED = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length);
const TOKENS = z.array(z.object({ name: z.string(), scopes: GRANTED, createdAt: z.iso.datetime() }));

/** AccessTokens. */
export interface Tokens {
  list(): z.infer<typeof TOKENS>;
  create(name: string, scopes: readonly Scope[]): Promise<string>;
  remove(name: string): Promise<boolean>;
}

export function tokensEndpoints(tokens: Tokens): Endpoint[] {
  const path = `${BASE}/tokens`;
  return [
    endpoint({
      ...{ method: 'GET', path, scope: 'admin', summary: 'Which tokens there are' },
      answer: TOKENS,
      handle: () => tokens.list(),
    }),
    endpoint({
      ...{ method: 'POST', path, scope: 'admin', summary: 'Makes a token, which is told only once' },
      body: z.strictObject({ name: NAME, scopes: GRANTED }),
      status: 201,
      answer: z.object({ token: z.string() }),
      handle: async ({ body }) => ({ token: await tokens.create(body.name, body.scopes) }),
    }),
    endpoint({
      ...{ method: 'DELETE', path: `${path}/:name`, scope: 'admin', summary: 'Deletes a token' },
      status: 204,
      answer: null,
      async handle({ name }) {
        if (await tokens.remove(name)) return;
        throw new OperationalError('not-found', 'NO_SUCH_TOKEN', 'there is no token of this name');
      },
    }),
  ];
}
