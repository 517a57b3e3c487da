import type { Scenario } from '../../bench/simulate/scenario.js';
import type { SettingsOf } from '../daemon/settings.js';
import type { Invocation } from './invocation.js';

/** The simulators come with the package but are loaded only here. */
export async function run({ settings, stop }: Invocation<'simulate'>): Promise<void> {
  void stop.made().then(() => process.exit(130));
  const { simulateSwarm } = await import('../../bench/simulate/swarm.js');
  const { runs, svg, json } = settings;
  await simulateSwarm({ scenario: scenarioOf(settings), runs: runs ?? 1, svg, json });
}

function scenarioOf(settings: SettingsOf<'simulate'>): Scenario {
  const { peers, parts, seeds, slots, leave, neighbours, picker, choker, seed } = settings;
  const uploads = settings['peer-upload'];
  return {
    ...{ peers, parts, seeds, slots, leave, neighbours, picker, choker, seed },
    seedRate: settings['seed-rate'],
    uploads: uploads.length > 0 ? uploads : [1],
    download: settings['peer-download'],
    partMs: settings['part-time'],
    freeRiders: settings['free-riders'],
    arrivalMs: settings.arrivals,
    lagMs: settings['fchu-lag'],
    roundTripMs: settings['round-trip'],
    seedChoking: settings['seed-choking'],
  };
}
