import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.js';
import type { PaceWait } from '../../src/net/handler.js';
import { seededRandom } from '../support/files.js';
import type { ManualClock } from '../support/manual-clock.js';

/** A clock whose timers are up to `ms` milliseconds late, as those of a busy process are. */
export function late(clock: ManualClock, ms: number): Clock {
  const random = seededRandom('late timers');
  return { now: () => clock.now(), after: (wait, callback) => clock.after(wait + random() * ms, callback) };
}

/** What a writer is limited by. */
interface SharedPace {
  slice(flow: string): number;
  wait(flow: string, bytes: number): PaceWait | null;
}

/**
 * Writers that ask again as soon as they are let through, one for each of `flows`, with chunks of the sizes `most` in
 * turn; the bytes each was let through with.
 */
export function writers(
  pace: SharedPace,
  flows: readonly string[],
  until: () => boolean,
  most: readonly number[] = [65_536],
): number[] {
  const sent = flows.map(() => 0);
  const write = async (writer: number) => {
    const flow = flows[writer]!;
    while (!until()) {
      const bytes = Math.min(pace.slice(flow), most[writer % most.length]!);
      await pace.wait(flow, bytes)?.over;
      if (!until()) sent[writer]! += bytes;
    }
  };
  for (const writer of sent.keys()) void write(writer);
  return sent;
}

export async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    await setImmediate();
    clock.advance(5);
  }
  await setImmediate();
}

export const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
