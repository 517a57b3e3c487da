import { systemClock } from '../src/core/clock.js';
import { silentLogger } from '../src/core/logger.js';
import { partGeometry } from '../src/model/geometry.js';
import { type PacketId, parseFileMd5 } from '../src/model/ids.js';
import { encodeRequest } from '../src/protocol/encode.js';
import { TrackerGroup } from '../src/swarm/tracker-group.js';
import { cpuSeconds } from './lib/process-cost.js';
import { Program } from './lib/program.js';
import { QueryNeighbour } from './lib/query-neighbour.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';

export interface SearchBenchOptions {
  /** Rounds; each figure is the median. */
  readonly runs: number;
  readonly json: boolean;
}

const NEIGHBOURS = 16;
const FILES = 1_000;
/** What a neighbour may relay at once. */
const FRESH_EACH = 2_000;
const DUPLICATES = 400_000;
/** Until every neighbour may relay as much again. */
const REFILL_MS = 2_200;
const LISTENS_WITHIN_MS = 20_000;
const QUERY = 102;

interface Figures {
  readonly seconds: number;
  readonly cpu: number;
}

/**
 * How many QUERs a second one tracker handles that come over the kept connections of 16 neighbours: duplicates, and fresh
 * ones, which are searched for among 1,000 files and passed on to the 15 others. Per second of the tracker's CPU time, too.
 */
export async function benchSearch({ runs, json }: SearchBenchOptions): Promise<void> {
  const report = new Report('search', json);
  await inScratchFolder(async (folder) => {
    const neighbours = Array.from({ length: NEIGHBOURS }, (_, n) => new QueryNeighbour(`127.0.0.${n + 21}`));
    const named: string[] = [];
    for (const neighbour of neighbours) named.push(...['--neighbour', await neighbour.start()]);
    const program = new Program(folder);
    // All neighbours are on one address here, whose requests would be slowed.
    const alone = ['--listen', '127.0.0.1:0', '--store', 'memory:', '--request-limit', 'off'];
    const tracker = await program.start('tracker', ['tracker', ...alone, ...named]);
    const at = await tracker.line((line) => line.match(/listening on (\S+):(\d+)/), LISTENS_WITHIN_MS);
    const [host, port] = [at[1]!, Number(at[2])];
    await register({ host, port });
    for (const neighbour of neighbours) await neighbour.connect(host, port);
    const packets = new Packets();
    const rounds: { duplicate: Figures; fresh: Figures }[] = [];
    for (let round = 0; round < runs; round++) {
      const fresh = await measured(tracker.pid, () =>
        Promise.all(neighbours.map((neighbour) => neighbour.send(packets.queries(FRESH_EACH)))),
      );
      const again = Buffer.concat(Array.from({ length: DUPLICATES / FRESH_EACH }, () => packets.last));
      const duplicate = await measured(tracker.pid, () => neighbours[0]!.send(again));
      rounds.push({ fresh, duplicate });
      if (round + 1 < runs) await new Promise((resolve) => setTimeout(resolve, REFILL_MS));
    }
    await tracker.end();
    for (const neighbour of neighbours) neighbour.stop();
    const { search } = program.stats('tracker') as {
      search: { forwarded: number; dropped: object; spread: number };
    };
    for (const [name, count] of [
      ['duplicate', DUPLICATES],
      ['fresh', NEIGHBOURS * FRESH_EACH],
    ] as const) {
      const middle = (of: (figures: Figures) => number) => median(rounds.map((round) => of(round[name])));
      report.result(name, count / middle(({ seconds }) => seconds), 'queries/s');
      report.result(`${name}-per-core`, count / middle(({ cpu }) => cpu), 'queries/s');
    }
    report.result('fan-out', search.forwarded / Math.max(1, search.spread), 'x');
    const came = neighbours.reduce((sum, { received }) => sum + Math.floor(received / QUERY), 0);
    report.result('passed-on', came / (runs * NEIGHBOURS * FRESH_EACH), 'x');
    report.note(`dropped: ${JSON.stringify(search.dropped)}`);
  });
}

/** Fresh queries of one text that nothing matches, so that no answers are sent. */
class Packets {
  /** The queries made last. */
  last: Buffer = Buffer.alloc(0);
  #made = 0;

  queries(count: number): Buffer {
    const address = { v4: '127.0.0.20', v6: null, port: 5_000 };
    const queries = Array.from({ length: count }, () => {
      const packet = String(this.#made++).padStart(16, '0') as PacketId;
      return encodeRequest({ command: 'QUER', packet, address, ttl: 4, text: 'nothing like it' });
    });
    this.last = Buffer.concat(queries);
    return this.last;
  }
}

async function register(tracker: { host: string; port: number }): Promise<void> {
  const group = new TrackerGroup({
    trackers: [tracker],
    announce: null,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
  });
  group.start();
  await group.ready(LISTENS_WITHIN_MS);
  for (let n = 0; n < FILES; n++) {
    const md5 = parseFileMd5(n.toString(16).padStart(32, '0'))!;
    await group.register({
      md5,
      name: `a film of some length, number ${n}.mkv`,
      geometry: partGeometry(1_000, 1_000),
    });
  }
  group.stop();
}

async function measured(pid: number, work: () => Promise<unknown>): Promise<Figures> {
  const [start, before] = [performance.now(), cpuSeconds(pid) ?? 0];
  await work();
  return { seconds: (performance.now() - start) / 1e3, cpu: Math.max(0.01, (cpuSeconds(pid) ?? 0) - before) };
}
