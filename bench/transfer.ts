import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './lib/child.js';
import { type Cost, inSequence, measuredRun } from './lib/measured-run.js';
import { cpuSeconds, peakBytes } from './lib/process-cost.js';
import { Program } from './lib/program.js';
import { sameContent, writeRandomFile } from './lib/random-file.js';
import { median, Report, shown } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { type SeededSwarm, startSeededSwarm } from './lib/seeded-swarm.js';

export interface TransferOptions {
  /** Bytes of the file. */
  readonly size: number;
  readonly seeds: number;
  /** Measured pairs, after one pair that only warms up. */
  readonly runs: number;
  /** `false` leaves the MD5 out: the network path alone. The result is compared with the source all the same. */
  readonly verify: boolean;
  readonly json: boolean;
}

/** One `get`, what the others of the swarm spent on it, and the other way to move the same bytes. */
interface Pair {
  readonly get: Cost;
  readonly others: ReadonlyMap<string, number>;
  readonly curl: Cost | null;
}

const GET_PROCESS = fileURLToPath(new URL('./lib/get-process.js', import.meta.url));
const FILE_SERVER = fileURLToPath(new URL('./lib/http-file-server.js', import.meta.url));

/**
 * A random file from seeds to `get` over loopback, each a process of its own, timed from the start of `get`
 * to its end; interleaved with `curl` from an HTTP file server followed by `md5sum`, where there is a curl.
 */
export async function benchTransfer(options: TransferOptions): Promise<void> {
  const report = new Report(options.verify ? 'transfer' : 'transfer-no-verify', options.json);
  await inScratchFolder(async (folder) => {
    const source = join(folder, 'source.bin');
    const md5 = await writeRandomFile(source, options.size);
    const program = new Program(folder);
    const swarm = await startSeededSwarm(program, source, options.seeds);
    const server = await FileServer.start(source, md5);
    if (server === null) report.note('no curl here: nothing to compare with');
    const run = async (label: string): Promise<Pair> => {
      const pair = await runPair(
        program,
        swarm,
        server,
        { source, target: join(folder, 'target.bin') },
        options.verify,
      );
      report.note(`${label}: ${summary(pair, options.size)}`);
      return pair;
    };
    await run('warm-up');
    const pairs: Pair[] = [];
    for (let i = 1; i <= options.runs; i += 1) pairs.push(await run(`run ${i} of ${options.runs}`));
    reportPairs(report, pairs, options.size);
    for (const [name, child] of swarm.processes)
      reportIfKnown(report, `peak-${name}`, peakBytes(child.pid), 'B');
    await server?.end();
    for (const child of swarm.processes.values()) await child.end();
    for (const name of ['get', ...swarm.processes.keys()]) {
      const stats = program.stats(name);
      if (stats !== null) report.stats(name, stats);
    }
  });
}

async function runPair(
  program: Program,
  swarm: SeededSwarm,
  server: FileServer | null,
  files: { source: string; target: string },
  verify: boolean,
): Promise<Pair> {
  const before = cpuOf(swarm);
  const get = await measuredRun(() =>
    verify
      ? program.start('get', ['get', swarm.magnet, '-o', files.target, '--json', '--no-seed'])
      : program.startScript('get', GET_PROCESS, [swarm.magnet, files.target]),
  );
  const others = new Map([...cpuOf(swarm)].map(([name, seconds]) => [name, seconds - before.get(name)!]));
  if (!(await sameContent(files.source, files.target))) get.child.fail('its file differs from the source');
  await rm(files.target);
  const curl = server === null ? null : await server.fetch(files.target);
  await rm(files.target, { force: true });
  return { get, others, curl };
}

function cpuOf(swarm: SeededSwarm): Map<string, number> {
  const known = [...swarm.processes].map(([name, child]) => [name, cpuSeconds(child.pid)] as const);
  return new Map(known.filter((entry): entry is [string, number] => entry[1] !== null));
}

/** The HTTP side of the comparison. */
class FileServer {
  readonly #child: Child;
  readonly #url: string;
  readonly #md5: string;

  private constructor(child: Child, port: number, md5: string) {
    this.#child = child;
    this.#url = `http://127.0.0.1:${port}/`;
    this.#md5 = md5;
  }

  /** Null where there is no curl to fetch with. */
  static async start(file: string, md5: string): Promise<FileServer | null> {
    const curl = await Child.start('curl', 'curl', ['--version']).catch(() => null);
    if (curl === null) return null;
    await curl.exited;
    const child = await Child.start('http-file-server', process.execPath, [FILE_SERVER, file]);
    return new FileServer(child, await child.line(Number, 10_000), md5);
  }

  /** `curl` into `target`, then `md5sum` of it. */
  async fetch(target: string): Promise<Cost> {
    const curl = await measuredRun(() => Child.start('curl', 'curl', ['-sS', '-f', '-o', target, this.#url]));
    const md5sum = await measuredRun(() => Child.start('md5sum', 'md5sum', [target]));
    await md5sum.child.line((line) => (line.startsWith(this.#md5) ? line : null), 0);
    return inSequence(curl, md5sum);
  }

  async end(): Promise<void> {
    await this.#child.end();
  }
}

function summary({ get, curl }: Pair, size: number): string {
  const got = `get ${shown(size / get.seconds, 'B/s')} (${shown(get.seconds, 's')})`;
  if (curl === null) return got;
  const other = `curl + md5sum ${shown(size / curl.seconds, 'B/s')} (${shown(curl.seconds, 's')})`;
  return `${got}, ${other}, ${shown(curl.seconds / get.seconds, 'x')}`;
}

/** Medians over the pairs; the ratio is that of each pair, so that a slow moment touches both its sides. */
function reportPairs(report: Report, pairs: readonly Pair[], size: number): void {
  const gets = pairs.map((pair) => pair.get);
  const curls = pairs.flatMap((pair) => pair.curl ?? []);
  reportCosts(report, 'get', gets, size);
  if (curls.length > 0) {
    reportCosts(report, 'curl-md5sum', curls, size);
    const ratios = pairs.flatMap(({ get, curl }) => (curl === null ? [] : curl.seconds / get.seconds));
    report.result('ratio', median(ratios), 'x');
  }
  for (const name of pairs[0]?.others.keys() ?? []) {
    report.result(`cpu-${name}`, median(pairs.map((pair) => pair.others.get(name)!)), 's');
  }
}

function reportCosts(report: Report, name: string, costs: readonly Cost[], size: number): void {
  report.result(name, median(costs.map((cost) => size / cost.seconds)), 'B/s');
  reportIfKnown(
    report,
    `cpu-${name}`,
    costs.map((cost) => cost.cpuSeconds),
    's',
  );
  reportIfKnown(
    report,
    `peak-${name}`,
    costs.map((cost) => cost.peakBytes),
    'B',
  );
}

function reportIfKnown(
  report: Report,
  name: string,
  values: (number | null)[] | number | null,
  unit: 's' | 'B',
): void {
  const known = [values].flat().filter((value) => value !== null);
  if (known.length > 0) report.result(name, median(known), unit);
}
