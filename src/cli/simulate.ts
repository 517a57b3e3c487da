import type { Scenario } from '../../bench/simulate/scenario.js';
import type { SearchScenario } from '../../bench/simulate/search-scenario.js';
import type { SettingsOf } from '../daemon/settings.js';
import type { Invocation } from './invocation.js';

/** The simulators come with the package but are loaded only here. */
export async function run({ words, settings, stop }: Invocation<'simulate'>): Promise<void> {
  void stop.made().then(() => process.exit(130));
  const { svg, json } = settings;
  const options = { runs: settings.runs ?? 1, svg, json };
  if (words[0] === 'search') {
    const { simulateSearch } = await import('../../bench/simulate/search.js');
    const { COMMON_SEARCH } = await import('../../bench/simulate/search-scenario.js');
    await simulateSearch({ scenario: { ...COMMON_SEARCH, ...searchOf(settings) }, ...options });
  } else {
    const { simulateSwarm } = await import('../../bench/simulate/swarm.js');
    await simulateSwarm({ scenario: swarmOf(settings), ...options });
  }
}

function searchOf(settings: SettingsOf<'simulate'>): Partial<SearchScenario> {
  const { nodes, degree, replication, want, queries, filters, jitter, seed } = settings;
  return {
    ...{ nodes, degree, replication, queries, filters, jitter, seed },
    ...(want === null ? {} : { want }),
    maximumTtl: settings['maximum-ttl'],
  };
}

function swarmOf(settings: SettingsOf<'simulate'>): Scenario {
  const { peers, parts, seeds, slots, leave, neighbours, picker, choker, seed } = settings;
  const uploads = settings['peer-upload'];
  return {
    ...{ peers, parts, seeds, slots, leave, neighbours, picker, choker, seed },
    seedRate: settings['seed-rate'],
    uploads: uploads.length > 0 ? uploads : [1],
    download: settings['peer-download'],
    partMs: settings['part-time'],
    freeRiders: settings['free-riders'],
    reconnect: false,
    arrivalMs: settings.arrivals,
    lagMs: settings['fchu-lag'],
    roundTripMs: settings['round-trip'],
    seedChoking: settings['seed-choking'],
  };
}
