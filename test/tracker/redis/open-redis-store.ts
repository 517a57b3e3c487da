import assert from 'node:assert/strict';
import { systemClock } from '../../../src/core/clock.js';
import { type Logger, silentLogger } from '../../../src/core/logger.js';
import { STORE_LIMITS, type StoreLimits } from '../../../src/tracker/limits.js';
import { parseRedisPlace } from '../../../src/tracker/redis/place.js';
import { RedisStore } from '../../../src/tracker/redis/redis-store.js';

/** A store that is not started yet. */
export function redisStore(
  url: string,
  limits: StoreLimits = STORE_LIMITS,
  logger: Logger = silentLogger,
): RedisStore {
  const place = parseRedisPlace(url);
  assert.ok(place !== null, url);
  return new RedisStore({ place, limits, clock: systemClock, logger });
}

/** A started store; the caller stops it. */
export async function openRedisStore(...args: Parameters<typeof redisStore>): Promise<RedisStore> {
  const store = redisStore(...args);
  await store.start();
  return store;
}
