import { Child } from './child.js';
import { onFreePort } from './free-port.js';

const READY_WITHIN_MS = 20_000;

/** A redis-server on a free loopback port that keeps nothing on disk. Throws when there is no such program. */
export function startRedis(): Promise<{ redis: Child; url: string }> {
  return onFreePort(async (port) => {
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const redis = await Child.start('redis-server', 'redis-server', args);
    await redis.line((line) => line.includes('Ready to accept connections') || null, READY_WITHIN_MS);
    return { redis, url: `redis://127.0.0.1:${port}` };
  });
}
