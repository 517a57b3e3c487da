import type { Invocation } from './invocation.js';

const GIB = 2 ** 30;

/** The benchmarks come with the package but are loaded only here. */
export async function run({ words, settings, stop }: Invocation<'bench'>): Promise<void> {
  // Its children lead process groups of their own and end with this process.
  void stop.made().then(() => process.exit(130));
  const { size, runs, json } = settings;
  if (words[0] === 'hash') {
    const { benchHash } = await import('../../bench/hash.js');
    await benchHash({ size: size ?? GIB / 2, runs: runs ?? 9, json });
    return;
  }
  if (words[0] === 'search') {
    const { benchSearch } = await import('../../bench/search.js');
    await benchSearch({ runs: runs ?? 3, json });
    return;
  }
  const { benchTransfer } = await import('../../bench/transfer.js');
  await benchTransfer({
    size: size ?? GIB,
    seeds: settings.seeds,
    runs: runs ?? 1,
    verify: !settings['no-verify'],
    json,
  });
}
