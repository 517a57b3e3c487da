/**
 * The tokens that requests can bring: the one of the settings, which allows everything, and those made since.
 *
 * Invariant: only hashes are kept, in memory and in the file; the file follows every change, and is this process's alone.
 * While there are tokens, one of them allows everything: nobody can lock himself out.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { OperationalError, UsageError } from '../core/errors.js';
import { SCOPES, type Scope } from './scope.js';

const MOST_TOKENS = 100;
const TOKEN_BYTES = 24;

const FORM = z.object({
  version: z.literal(1),
  tokens: z
    .array(
      z.object({
        name: z.string(),
        scopes: z.array(z.enum(SCOPES)).min(1),
        createdAt: z.iso.datetime(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(MOST_TOKENS),
});

type KeptToken = z.infer<typeof FORM>['tokens'][number];

export class AccessTokens {
  readonly #configured: Buffer | null;
  readonly #path: string | null;
  #kept: readonly KeptToken[];

  private constructor(configured: string | null, path: string | null, kept: readonly KeptToken[]) {
    this.#configured = configured === null ? null : hashOf(configured);
    this.#path = path;
    this.#kept = kept;
  }

  /**
   * @param configured allows everything; null: none
   * @param path of the file; null: tokens are forgotten at the end
   * Throws UsageError 'BAD_STATE' and OperationalError 'disk'.
   */
  static async open(configured: string | null, path: string | null): Promise<AccessTokens> {
    return new AccessTokens(configured, path, path === null ? [] : await tokensIn(path));
  }

  /** Without any, nobody has to bring one. */
  get areNeeded(): boolean {
    return this.#configured !== null || this.#kept.length > 0;
  }

  /** What an Authorization header allows; null: it brings no token of ours. Takes as long for every wrong one. */
  scopesIn(header: string | undefined): readonly Scope[] | null {
    const given = hashOf(/^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '');
    let scopes: readonly Scope[] | null = null;
    for (const token of this.#kept) {
      if (timingSafeEqual(Buffer.from(token.sha256, 'hex'), given)) scopes = token.scopes;
    }
    if (this.#configured !== null && timingSafeEqual(this.#configured, given)) scopes = ['admin'];
    return scopes;
  }

  list() {
    return this.#kept.map(({ name, scopes, createdAt }) => ({ name, scopes, createdAt }));
  }

  /** Resolves with the token, which nobody can be told again. Throws UsageError with what is against it. */
  async create(name: string, scopes: readonly Scope[]): Promise<string> {
    if (this.#kept.length >= MOST_TOKENS)
      throw new UsageError('TOO_MANY_TOKENS', `there are ${MOST_TOKENS} tokens already: delete some`);
    if (this.#kept.some((token) => token.name === name))
      throw new UsageError(
        'TOKEN_EXISTS',
        'there is a token of this name: delete it, or choose another name',
      );
    if (!this.areNeeded && !scopes.includes('admin')) {
      const why = 'from the first token on every request has to bring one';
      throw new UsageError('ADMIN_FIRST', `${why}: make one with the scope admin first`);
    }
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const kept = { name, scopes: [...scopes], createdAt: new Date().toISOString() };
    await this.#keep([...this.#kept, { ...kept, sha256: hashOf(token).toString('hex') }]);
    return token;
  }

  /** False when there is none of this name. Throws UsageError 'LAST_ADMIN'. */
  async remove(name: string): Promise<boolean> {
    const rest = this.#kept.filter((token) => token.name !== name);
    if (rest.length === this.#kept.length) return false;
    const isLocked = rest.length > 0 && !rest.some(({ scopes }) => scopes.includes('admin'));
    if (this.#configured === null && isLocked)
      throw new UsageError('LAST_ADMIN', 'no other token has the scope admin: delete the others first');
    await this.#keep(rest);
    return true;
  }

  async #keep(tokens: readonly KeptToken[]): Promise<void> {
    const before = this.#kept;
    this.#kept = tokens;
    if (this.#path === null) return;
    try {
      const draft = `${this.#path}.new`;
      const text = `${JSON.stringify({ version: 1, tokens }, null, 1)}\n`;
      await writeFile(draft, text, { mode: 0o600, flush: true });
      await rename(draft, this.#path);
    } catch (error) {
      this.#kept = before;
      const { code } = error as NodeJS.ErrnoException;
      const message = `the tokens were not written (${code}): nothing has changed`;
      throw new OperationalError('disk', 'TOKENS', message, { cause: error });
    }
  }
}

async function tokensIn(path: string): Promise<readonly KeptToken[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    const message = `the tokens in ${path} cannot be read (${code}): check its permissions`;
    throw new OperationalError('disk', 'TOKENS', message, { cause: error });
  }
  try {
    return FORM.parse(JSON.parse(text)).tokens;
  } catch (cause) {
    const remedy = 'move it away to start with none';
    throw new UsageError('BAD_STATE', `${path} is no list of tokens: ${remedy}`, { cause });
  }
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
