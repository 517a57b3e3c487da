import { createHash, timingSafeEqual } from 'node:crypto';

/** A token that requests have to bring; only its hash is kept. */
export class BearerToken {
  readonly #hash: Buffer;

  constructor(token: string) {
    this.#hash = hashOf(token);
  }

  /** Whether an Authorization header brings it; takes as long for every wrong one. */
  isIn(header: string | undefined): boolean {
    const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '';
    return timingSafeEqual(hashOf(given), this.#hash);
  }
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
