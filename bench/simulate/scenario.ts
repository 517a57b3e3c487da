import type { SeedChoking } from '../../src/policy/choker.js';

/** How parts are chosen: by the policy module, or as it is compared with. */
type PickerName = 'rarest' | 'random' | 'sequential';
/** How peers are chosen to upload to: by the policy module, or as it is compared with. */
type ChokerName = 'tit-for-tat' | 'random';

/** A swarm to simulate. Rates are multiples of a downloader's upload rate, times are milliseconds. */
export interface Scenario {
  readonly peers: number;
  readonly parts: number;
  readonly seeds: number;
  /** Upload rate of one seed. */
  readonly seedRate: number;
  /** Upload rates, which the peers take in turn. */
  readonly uploads: readonly number[];
  /** Download rate; null: no limit. */
  readonly download: number | null;
  /** What a part takes at the slot rate of a peer of upload rate 1. */
  readonly partMs: number;
  /** Upload slots of each peer and seed, one of them optimistic; each has its share of the upload rate. */
  readonly slots: number;
  /** Share of peers that upload nothing and register no part. */
  readonly freeRiders: number;
  /** Free riders give up what they wait for at each FCHU and ask again from another port of their address. */
  readonly reconnect: boolean;
  /** Peers arrive evenly spread over this time; 0: all are there at the start. */
  readonly arrivalMs: number;
  /** Whoever is complete leaves: contributors after giving one more part, or 10 s in which nobody asked. */
  readonly leave: boolean;
  readonly neighbours: number;
  /** How often a peer asks FCHU. */
  readonly lagMs: number;
  /** Until a request that is withdrawn is gone from the owner's queue. */
  readonly roundTripMs: number;
  readonly picker: PickerName;
  readonly choker: ChokerName;
  readonly seedChoking: SeedChoking;
  /** The same number gives the same run. */
  readonly seed: number;
}

/** The swarm that the marks of the project are set for. */
export const COMMON_SCENARIO: Scenario = {
  peers: 100,
  parts: 200,
  seeds: 1,
  seedRate: 1,
  uploads: [1],
  download: null,
  partMs: 5_000,
  slots: 4,
  freeRiders: 0,
  reconnect: false,
  arrivalMs: 0,
  leave: false,
  neighbours: 40,
  lagMs: 2_000,
  roundTripMs: 50,
  picker: 'rarest',
  choker: 'tit-for-tat',
  seedChoking: 'round-robin',
  seed: 1,
};

/** How many of the peers are free riders; they are spread evenly over all numbers. */
export function isFreeRider({ freeRiders }: Scenario, peer: number): boolean {
  return Math.floor((peer + 1) * freeRiders) > Math.floor(peer * freeRiders);
}

export function uploadOf({ uploads }: Scenario, peer: number): number {
  return uploads[peer % uploads.length]!;
}

/**
 * No way of sending makes the last of a swarm complete sooner (Kumar and Ross, 2006):
 * max{F/u_s, F/d_min, N·F/(u_s + Σu)}, in milliseconds.
 */
export function lowerBoundMs(scenario: Scenario): number {
  const { peers, parts, slots, partMs, seeds, seedRate, download } = scenario;
  const fileMs = (parts * partMs) / slots;
  const seedUpload = seeds * seedRate;
  let upload = seedUpload;
  for (let peer = 0; peer < peers; peer++) {
    if (!isFreeRider(scenario, peer)) upload += uploadOf(scenario, peer);
  }
  return Math.max(fileMs / seedUpload, fileMs / (download ?? Infinity), (peers * fileMs) / upload);
}
