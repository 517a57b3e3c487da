import { setTimeout } from 'node:timers/promises';
import type { HostPort } from '../../src/model/address.js';
import { parseHostPort } from '../../src/model/address.js';
import type { FileMd5, SessionId } from '../../src/model/ids.js';
import type { PartList } from '../../src/model/part-list.js';
import { decodeAfch, decodeAlgi } from '../../src/protocol/answers.js';
import type { Child } from './child.js';
import { LOAD_PARTS, LoadPeer } from './load-peer.js';
import type { Program } from './program.js';
import { NoAnswer, TrackerLink } from './tracker-link.js';

const LISTENS_WITHIN_MS = 20_000;
const SHARED_WITHIN_MS = 60_000;
const SHARED_FILES = 6;
/** Of peers that stay: the source of the shared files is the first. */
const FIRST_PORT = 10_000;
const FIRST_COMMUTER_PORT = 20_000;
const PORTS_A_COMMUTER = 5_000;
const CHECKER_PORT = 9_999;

export interface TrackerKillPlan {
  readonly program: Program;
  readonly kills: number;
  /** `--store-interval`, in milliseconds. */
  readonly intervalMs: number;
  /** A file that a real seed shares throughout, and a name for it once it was fetched. */
  readonly source: string;
  readonly target: string;
  readonly residents: number;
  readonly commuters: number;
  /** Milliseconds that the next tracker may live under load. */
  readonly lifetime: () => number;
  readonly random: () => number;
}

export interface TrackerKillReport {
  readonly kills: number;
  /** Requests that were answered, all lives together. */
  readonly answers: number;
  /** Changes that had been answered for longer than the interval when the tracker was killed. */
  readonly changes: number;
  /** Pairs of a session and a file that were missing one of them. */
  readonly lost: number;
  /** Sessions older than the interval, and how many of them were gone. */
  readonly sessions: number;
  readonly sessionsLost: number;
  /** Kills after which the seed was not listed at once. */
  readonly seedMissing: number;
  /** Milliseconds from each start to the line that says it listens. */
  readonly starts: readonly number[];
}

interface Tracker {
  readonly child: Child;
  readonly at: string;
}

/**
 * Kills (SIGKILL) a tracker with an lmdb store under load again and again, and after each restart compares what it
 * knows with what it had answered. The peers, a real seed among them, are told nothing; in the end the seed's file is
 * fetched.
 */
export async function killTracker(plan: TrackerKillPlan): Promise<TrackerKillReport> {
  const { program, intervalMs } = plan;
  const starts: number[] = [];
  const start = async (listen: string): Promise<Tracker> => {
    const since = performance.now();
    const store = ['--store', 'lmdb:tracker-state', '--store-interval', `${intervalMs}ms`];
    const child = await program.start('tracker', ['tracker', '--listen', listen, ...store]);
    const at = await child.line((line) => line.match(/listening on (\S+)/)?.[1], LISTENS_WITHIN_MS);
    starts.push(performance.now() - since);
    return { child, at };
  };
  let tracker = await start('127.0.0.1:0');
  const { at } = tracker;
  const place = parseHostPort(at, 0)!;
  const seedArgs = ['share', plan.source, '--json', '--tracker', at, '--listen', '127.0.0.2:0'];
  const seed = await program.start('seed', seedArgs);
  const shared = await seed.line(sharedEvent, SHARED_WITHIN_MS);
  const peers = await population(place, plan);
  const sum = { changes: 0, lost: 0, sessions: 0, sessionsLost: 0, seedMissing: 0 };
  for (let kills = 0; kills < plan.kills; kills += 1) {
    const lives = peers.map((peer) => peer.live());
    await setTimeout(plan.lifetime());
    const old = performance.now() - intervalMs;
    tracker.child.kill('SIGKILL');
    await Promise.all(lives);
    await tracker.child.exited;
    tracker = await start(at);
    const owners = await ownersOf(
      place,
      peers.flatMap(({ files }) => files),
    );
    for (const peer of peers) {
      const { changes, lost } = peer.settle((md5, port) => owners.get(md5)?.get(port) ?? null, old);
      sum.changes += changes;
      sum.lost += lost;
      const goesOn = await peer.goesOn(old);
      if (goesOn !== null) sum.sessions += 1;
      if (goesOn === false) sum.sessionsLost += 1;
    }
    const seeds = (await ownersOf(place, [shared.md5], shared.parts)).get(shared.md5)!;
    if (![...seeds.values()].some(({ isComplete }) => isComplete)) sum.seedMissing += 1;
  }
  const fetch = ['get', shared.md5, '--tracker', at, '-o', plan.target, '--no-seed'];
  const get = await program.start('get', fetch);
  const { code } = await get.exit(SHARED_WITHIN_MS);
  if (code !== 0) get.fail(`ended with ${code}`);
  await seed.end();
  await tracker.child.end();
  const answers = peers.reduce((all, peer) => all + peer.answers, 0);
  return { kills: plan.kills, answers, starts, ...sum };
}

async function population(place: HostPort, plan: TrackerKillPlan): Promise<LoadPeer[]> {
  const { residents, commuters, random } = plan;
  const files = SHARED_FILES;
  const sharer = new LoadPeer(place, { port: FIRST_PORT, commutes: false, files, random });
  await sharer.shareAll();
  const stay = Array.from(
    { length: residents },
    (_, n) => new LoadPeer(place, { port: FIRST_PORT + 1 + n, commutes: false, files, random }),
  );
  const commute = Array.from({ length: commuters }, (_, n) => {
    const port = FIRST_COMMUTER_PORT + n * PORTS_A_COMMUTER;
    return new LoadPeer(place, { port, commutes: true, files, random });
  });
  return [...stay, ...commute];
}

/** Who owns what of the files, by port. */
async function ownersOf(
  place: HostPort,
  files: readonly FileMd5[],
  partCount = LOAD_PARTS,
): Promise<Map<FileMd5, Map<number, PartList>>> {
  const found = new Map<FileMd5, Map<number, PartList>>();
  let link = await TrackerLink.open(place);
  const session = await checker(link);
  for (const md5 of new Set(files)) {
    try {
      const owners = await link.ask({ command: 'FCHU', session, md5 }, decodeAfch(partCount));
      found.set(md5, new Map(owners.map(({ address, parts }) => [address.port, parts])));
    } catch (error) {
      // A file without owners is unknown, and the connection closed.
      if (!(error instanceof NoAnswer)) throw error;
      found.set(md5, new Map());
      link = await TrackerLink.open(place);
    }
  }
  link.close();
  return found;
}

function checker(link: TrackerLink): Promise<SessionId> {
  return link.ask(
    { command: 'LOGI', address: { v4: '127.0.0.1', v6: null, port: CHECKER_PORT } },
    decodeAlgi(),
  );
}

function sharedEvent(line: string): { md5: FileMd5; parts: number } | null {
  const event = JSON.parse(line) as { event: string; md5: FileMd5; size: number };
  return event.event === 'shared' ? { md5: event.md5, parts: Math.ceil(event.size / 262_144) } : null;
}
