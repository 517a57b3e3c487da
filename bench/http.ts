import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Asked, type Loads, load, scrape, whileScraped } from './lib/http-load.js';
import { measuredRun } from './lib/measured-run.js';
import { cpuSeconds, residentBytes } from './lib/process-cost.js';
import { Program } from './lib/program.js';
import { sameContent } from './lib/random-file.js';
import { median, medianInterval, Report, shown } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { type ServedSwarm, startServedSwarm } from './lib/served-swarm.js';

export interface HttpOptions {
  /** Bytes of the file that is transferred. */
  readonly size: number;
  /** Small files shared beside it. */
  readonly files: number;
  /** Measured pairs, after one transfer that only warms up. */
  readonly runs: number;
  /** How long the load lasts. */
  readonly seconds: number;
  readonly json: boolean;
}

const PATHS = ['/metrics', '/livez', '/readyz'];
/** A page from the middle of all files. */
const PAGE = '/api/v1/files?limit=100&offset=';
/** Of the file that is transferred meanwhile; what a player asks for at once. */
const RANGE_BYTES = 1_048_576;
const CONNECTIONS = 100;
const SCRAPES = 30;
/** A daemon reads its metrics no more often than every 100 ms; who asks sooner gets the text of before. */
const BETWEEN_MS = 120;
/**
 * A virtual machine may give memory that was freed back to its host, and pays two seconds a GiB to have it again. So late
 * after a file was removed every transfer pays, and not each second one.
 */
const MEMORY_IS_BACK_MS = 2_500;

/**
 * What serving metrics and health costs a daemon whose file is downloaded at full speed: a scrape of few and of many
 * shared files, a scrape every second (in pairs, with and without by turns), and many connections that ask without end.
 */
export async function benchHttp(options: HttpOptions): Promise<void> {
  const report = new Report('http', options.json);
  await withSwarm({ size: options.size, files: 0 }, ({ swarm }) => reportScrapes(report, swarm, '-few'));
  await withSwarm(options, async (transfer) => {
    await reportScrapes(report, transfer.swarm, '');
    await transfer.run();
    await reportPairs(report, transfer, options);
    const asked = PATHS.map((path) => ({ name: path.slice(1), path }));
    await reportLoad(report, transfer, options, { asked, suffix: '' });
    const { md5 } = transfer.swarm;
    const middle = Math.floor(options.size / 2);
    const headers = { range: `bytes=${middle}-${Math.min(options.size, middle + RANGE_BYTES) - 1}` };
    const page = `${PAGE}${Math.floor(options.files / 2)}`;
    await reportLoad(report, transfer, options, {
      asked: [
        { name: 'files-page', path: page },
        { name: 'file-range', path: `/files/${md5}`, headers },
      ],
      suffix: '-api',
    });
  });
}

interface TransferCost {
  readonly seconds: number;
  /** Of `get` and the daemon together; null where that cannot be known. */
  readonly cpuSeconds: number | null;
}

/** Downloads of one file from a daemon, one after the other. */
class Transfer {
  readonly swarm: ServedSwarm;
  readonly #program: Program;
  readonly #target: string;

  constructor(swarm: ServedSwarm, program: Program, folder: string) {
    this.swarm = swarm;
    this.#program = program;
    this.#target = join(folder, 'target.bin');
  }

  /** From the start of `get` to its end; throws unless the file is right. */
  async run(): Promise<TransferCost> {
    const { magnet, source, daemon } = this.swarm;
    const args = ['get', magnet, '-o', this.#target, '--json', '--no-seed'];
    const before = cpuSeconds(daemon.pid);
    const { child, seconds, cpuSeconds: getCpu } = await measuredRun(() => this.#program.start('get', args));
    const after = cpuSeconds(daemon.pid);
    if (!(await sameContent(source, this.#target))) child.fail('its file differs from the source');
    await rm(this.#target);
    const isKnown = before !== null && after !== null && getCpu !== null;
    return { seconds, cpuSeconds: isKnown ? getCpu + after - before : null };
  }
}

async function withSwarm(
  size: Pick<HttpOptions, 'size' | 'files'>,
  body: (transfer: Transfer) => Promise<void>,
): Promise<void> {
  await inScratchFolder(async (folder) => {
    const program = new Program(folder);
    const swarm = await startServedSwarm(program, folder, size);
    await body(new Transfer(swarm, program, folder));
    await swarm.end();
  });
}

/** Of an idle daemon, so that it is the scrape that is measured. */
async function reportScrapes(report: Report, { url }: ServedSwarm, suffix: string): Promise<void> {
  const anew = async () => {
    await wait(BETWEEN_MS);
    return scrape(url);
  };
  for (let i = 0; i < SCRAPES; i++) await anew();
  const scrapes = [];
  while (scrapes.length < SCRAPES) scrapes.push(await anew());
  const seconds = scrapes.map((each) => each.seconds);
  report.result(`scrape${suffix}`, median(seconds), 's');
  report.result(`scrape${suffix}-longest`, Math.max(...seconds), 's');
  report.result(`scrape${suffix}-bytes`, scrapes.at(-1)!.bytes, 'B');
  // With what it does besides: a scrape each second costs at most this share of a processor.
  const cpu = scrapes.at(-1)!.cpuSeconds - scrapes[0]!.cpuSeconds;
  report.result(`scrape${suffix}-cpu`, cpu / (SCRAPES - 1), 's');
}

/** The ratio is that of each pair, so that a slow moment touches both its sides; who begins changes. */
async function reportPairs(report: Report, transfer: Transfer, { runs, size }: HttpOptions): Promise<void> {
  const pairs: { plain: TransferCost; scraped: TransferCost }[] = [];
  const run = async (how: (transfer: () => Promise<TransferCost>) => Promise<TransferCost>) => {
    await wait(MEMORY_IS_BACK_MS);
    return how(() => transfer.run());
  };
  const plainly = () => run((transferred) => transferred());
  const scrapedly = () => run((transferred) => whileScraped(transfer.swarm.url, transferred));
  for (let i = 1; i <= runs; i++) {
    const first = await (i % 2 === 0 ? scrapedly : plainly)();
    const second = await (i % 2 === 0 ? plainly : scrapedly)();
    const pair = i % 2 === 0 ? { plain: second, scraped: first } : { plain: first, scraped: second };
    pairs.push(pair);
    const rate = ({ seconds }: TransferCost) => shown(size / seconds, 'B/s');
    report.note(`pair ${i} of ${runs}: ${rate(pair.plain)}, ${rate(pair.scraped)} scraped`);
  }
  report.result('get', median(pairs.map(({ plain }) => size / plain.seconds)), 'B/s');
  report.result('get-scraped', median(pairs.map(({ scraped }) => size / scraped.seconds)), 'B/s');
  const ratios = pairs.map(({ plain, scraped }) => plain.seconds / scraped.seconds);
  const { low, high } = medianInterval(ratios);
  report.result('ratio-scraped', median(ratios), 'x');
  report.result('ratio-scraped-low', low, 'x');
  report.result('ratio-scraped-high', high, 'x');
  const costs = pairs.map(({ plain, scraped }) => [plain.cpuSeconds, scraped.cpuSeconds] as const);
  const known = costs.filter((pair): pair is [number, number] => !pair.includes(null));
  if (known.length === 0) return;
  report.result('cpu', median(known.map(([plain]) => plain)), 's');
  report.result('cpu-scraped', median(known.map(([, scraped]) => scraped)), 's');
}

/** `suffix` names the figures that are of all requests together. */
async function reportLoad(
  report: Report,
  transfer: Transfer,
  { seconds, size }: HttpOptions,
  { asked, suffix }: { readonly asked: readonly Asked[]; readonly suffix: string },
): Promise<void> {
  const { url, daemon } = transfer.swarm;
  const before = residentBytes(daemon.pid);
  let over = false;
  const loading = load(url, { asked, connections: CONNECTIONS, seconds }).finally(() => {
    over = true;
  });
  const transfers: number[] = [];
  while (!over) transfers.push((await transfer.run()).seconds);
  const loads = await loading;
  const after = residentBytes(daemon.pid);
  for (const [name, { latency, requests }] of loads) {
    report.result(`${name}-rate`, requests.average, 'requests/s');
    for (const quantile of ['p50', 'p99', 'max'] as const) {
      report.result(`${name}-${quantile}`, latency[quantile] / 1e3, 's');
    }
  }
  report.result(`load-errors${suffix}`, errorsOf(loads), 'errors');
  report.result(`get-loaded${suffix}`, size / median(transfers), 'B/s');
  if (before !== null && after !== null) {
    report.result(`memory-before${suffix}`, before, 'B');
    report.result(`memory-after${suffix}`, after, 'B');
  }
}

/** Timeouts are errors to autocannon; an answer that is no success is one to us. */
function errorsOf(loads: Loads): number {
  return [...loads.values()].reduce((sum, { errors, non2xx }) => sum + errors + non2xx, 0);
}
