import type { Child } from './child.js';
import type { Program } from './program.js';

const SHARED_WITHIN_MS = 120_000;

/** A tracker and some seeds of one file, each a process of its own, on loopback. */
export interface SeededSwarm {
  readonly magnet: string;
  readonly md5: string;
  /** In the order in which they have to end, by name: `seed-1` …, `tracker`. */
  readonly processes: ReadonlyMap<string, Child>;
}

/**
 * Starts a tracker and `seeds` seeds of `file`, and settles when every seed is registered. Several seeds
 * get an address each (127.0.0.2, 127.0.0.3, …), as several machines would have.
 */
export async function startSeededSwarm(program: Program, file: string, seeds: number): Promise<SeededSwarm> {
  const { tracker, at } = await program.startTracker();
  const processes = new Map<string, Child>();
  let shared: { magnet: string; md5: string } | null = null;
  for (let i = 1; i <= seeds; i += 1) {
    const name = `seed-${i}`;
    const listen = seeds === 1 ? '127.0.0.1:0' : `127.0.0.${i + 1}:0`;
    const seed = await program.start(name, ['share', file, '--json', '--tracker', at, '--listen', listen]);
    processes.set(name, seed);
    shared = await seed.line(sharedEvent, SHARED_WITHIN_MS);
  }
  if (shared === null) throw new RangeError('a swarm needs a seed');
  processes.set('tracker', tracker);
  return { ...shared, processes };
}

function sharedEvent(line: string): { magnet: string; md5: string } | null {
  const event = JSON.parse(line) as { event: string; magnet: string; md5: string };
  return event.event === 'shared' ? { magnet: event.magnet, md5: event.md5 } : null;
}
