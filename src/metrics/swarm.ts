import { counter, decades, gauge, histogram } from './descriptor.js';
import type { ByLabel, MetricsRegistry } from './registry.js';

export const SWARM = {
  bugtorrent_swarm_downloads: gauge('Downloads that run'),
  bugtorrent_swarm_peers: gauge(
    'Peers by state: uploading holds an upload slot of ours, waiting wants one; of downloads: asked is sending or will, idle could be asked, resting failed lately, aside is under suspicion, unlisted has left',
    'state',
  ),
  bugtorrent_swarm_parts_total: counter(
    'Parts asked for, by result: verified, wrong and duplicate landed, all else did not',
    'result',
  ),
  bugtorrent_swarm_fetch_seconds: histogram('Time from a request for a part until it had landed', [
    ...decades(0.001, 10),
    25,
    50,
  ]),
  bugtorrent_swarm_bans_total: counter(
    'Peers that were banned: framing broke the form of answers, content sent bytes or midstates that are proven wrong',
    'reason',
  ),
} as const;

/** SwarmCounts.stats(), and the peers that are uploaded to. */
interface SwarmStats {
  readonly downloads: number;
  readonly peers: ByLabel;
  readonly parts: ByLabel;
  readonly bans: ByLabel;
}

export function collectSwarm(registry: MetricsRegistry, stats: () => SwarmStats): void {
  registry.family(SWARM, () => {
    const { downloads, peers, parts, bans } = stats();
    return {
      bugtorrent_swarm_downloads: downloads,
      bugtorrent_swarm_peers: peers,
      bugtorrent_swarm_parts_total: parts,
      bugtorrent_swarm_bans_total: bans,
    };
  });
}
