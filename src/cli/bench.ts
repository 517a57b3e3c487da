import type { Invocation } from './invocation.js';

/** The benchmarks come with the package but are loaded only here. */
export async function run({ settings, stop }: Invocation<'bench'>): Promise<void> {
  const { benchTransfer } = await import('../../bench/transfer.js');
  // Its children lead process groups of their own and end with this process.
  void stop.made().then(() => process.exit(130));
  await benchTransfer({
    size: settings.size,
    seeds: settings.seeds,
    runs: settings.runs,
    verify: !settings['no-verify'],
    json: settings.json,
  });
}
