import { UsageError } from '../core/errors.js';
import { EXIT } from './exit-code.js';
import type { Invocation } from './invocation.js';

const GIB = 2 ** 30;

/** The benchmarks come with the package but are loaded only here. */
export async function run({ words, settings, stop }: Invocation<'bench'>): Promise<void> {
  const stopped = stop.made().then(() => {
    if (stop.reason?.startsWith('SIG')) process.exit(EXIT.interrupted);
    stop.signal.throwIfAborted();
  });
  // Its children lead process groups of their own and end with this process.
  await Promise.race([measure(words, settings), stopped]);
}

async function measure(words: readonly string[], settings: Invocation<'bench'>['settings']): Promise<void> {
  const { size, runs, json } = settings;
  if (words[0] === 'hash') {
    const { benchHash } = await import('../../bench/hash.js');
    await benchHash({ size: size ?? GIB / 2, runs: runs ?? 9, json });
    return;
  }
  if (words[0] === 'tracker') {
    const { tracker, pid, files, peers, parts, threads, connections, window, duration } = settings;
    if (tracker.length > 1)
      throw new UsageError('ONE_TRACKER', 'bench measures one tracker: give one --tracker');
    if (pid.length > 0 && tracker.length === 0) {
      throw new UsageError('PID_ALONE', '--pid is of a running tracker: give its --tracker too, or neither');
    }
    const { benchTracker } = await import('../../bench/tracker.js');
    await benchTracker({
      ...{ peers, parts, threads, connections, window, json },
      files: files ?? 100_000,
      duration: duration ?? 2_000,
      target: tracker[0] ?? null,
      loads: settings.load,
      pids: pid,
      runs: runs ?? 5,
      rate: settings['request-rate'],
    });
    return;
  }
  if (words[0] === 'http') {
    const { benchHttp } = await import('../../bench/http.js');
    await benchHttp({
      // A second of a transfer is too short to tell two hundredths.
      size: size ?? 4 * GIB,
      files: settings.files ?? 10_000,
      runs: runs ?? 9,
      seconds: (settings.duration ?? 30_000) / 1e3,
      json,
    });
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
