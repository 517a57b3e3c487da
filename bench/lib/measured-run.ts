import type { Child } from './child.js';
import { exitedChildrenCpuSeconds, followPeak } from './process-cost.js';

const RUN_WITHIN_MS = 30 * 60_000;

/** What a process cost from its start to its end; null is what this system does not tell. */
export interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number | null;
  readonly peakBytes: number | null;
}

/**
 * Runs one process to its end; throws unless it exits with 0. No other child may exit meanwhile, since its
 * CPU time could not be told apart.
 */
export async function measuredRun(start: () => Promise<Child>): Promise<Cost & { readonly child: Child }> {
  const before = exitedChildrenCpuSeconds();
  const child = await start();
  const peak = followPeak(child.pid);
  try {
    const { code, signal, seconds } = await child.exit(RUN_WITHIN_MS);
    if (code !== 0) child.fail(`ended with ${code ?? signal}`);
    const after = exitedChildrenCpuSeconds();
    const cpuSeconds = before === null || after === null ? null : after - before;
    return { child, seconds, cpuSeconds, peakBytes: peak.stop() };
  } finally {
    peak.stop();
  }
}

/** Two costs, one after the other: times add up, of the peaks the higher one counts. */
export function inSequence(one: Cost, other: Cost): Cost {
  const both = <T>(a: T | null, b: T | null, join: (a: T, b: T) => T) =>
    a === null || b === null ? null : join(a, b);
  return {
    seconds: one.seconds + other.seconds,
    cpuSeconds: both(one.cpuSeconds, other.cpuSeconds, (a, b) => a + b),
    peakBytes: both(one.peakBytes, other.peakBytes, Math.max),
  };
}
