import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { BaseClient, type BaseFile, type BaseOwner } from './base-client.js';
import type { Endpoint } from './receiver.js';

const REGISTERED_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 50;

/** `HOST:PORT` as the two it is made of. */
export function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** A client of another implementation that is logged in, under an address where nobody listens. */
export async function foreignClient(tracker: Endpoint, v4: string, port: number): Promise<BaseClient> {
  const client = new BaseClient({ tracker, v4, port });
  assert.ok(await client.login(), 'the login was refused');
  return client;
}

/** Asks again and again, as other nodes do, until `file` has `count` owners of all its parts. */
export async function ownersOf(client: BaseClient, file: BaseFile, count: number): Promise<BaseOwner[]> {
  const partCount = Math.ceil(file.size / file.partSize);
  for (const deadline = performance.now() + REGISTERED_WITHIN_MS; ; ) {
    const owners = (await client.fchu(file.md5, partCount)) ?? [];
    const whole = owners.filter(({ parts }) => parts.length === partCount);
    if (whole.length >= count) return whole;
    if (performance.now() > deadline)
      throw new Error(`${whole.length} of ${count} owners: ${JSON.stringify(owners)}`);
    await setTimeout(ASK_AGAIN_MS);
  }
}
