import { join } from 'node:path';
import { checkAgreement, md5Contenders, ratePerCore } from './lib/md5-contenders.js';
import { PoolFile } from './lib/pool-file.js';
import { writeRandomFile } from './lib/random-file.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';

export interface HashOptions {
  /** Bytes of the file that the pool verifies. */
  readonly size: number;
  /** Measured rounds, after one that only warms up. */
  readonly runs: number;
  readonly json: boolean;
}

interface Round {
  /** Bytes per second of CPU time, by name. */
  readonly perCore: ReadonlyMap<string, number>;
  readonly poolSeconds: number;
  readonly poolCpuSeconds: number;
}

const SLICE_MS = 30;

/**
 * How fast one core takes MD5s of parts, in each of the ways there are, and how fast the whole worker pool verifies a
 * file in the page cache. In every round each has its turn, so that a slow moment touches all of them.
 */
export async function benchHash({ size, runs, json }: HashOptions): Promise<void> {
  const report = new Report('hash', json);
  const { contenders, parts } = await md5Contenders();
  checkAgreement(contenders, parts);
  await inScratchFolder(async (folder) => {
    const path = join(folder, 'source.bin');
    await writeRandomFile(path, size);
    const file = await PoolFile.open(path);
    const run = async (): Promise<Round> => ({
      perCore: new Map(contenders.map((each) => [each.name, ratePerCore(each, parts, SLICE_MS)])),
      ...(await verified(file)),
    });
    try {
      await run();
      const rounds: Round[] = [];
      while (rounds.length < runs) rounds.push(await run());
      reportRounds(report, rounds, size);
    } finally {
      await file.stop();
    }
  });
}

async function verified(file: PoolFile): Promise<{ poolSeconds: number; poolCpuSeconds: number }> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await file.verify();
  const { user, system } = process.cpuUsage(before);
  return { poolSeconds: (performance.now() - start) / 1e3, poolCpuSeconds: (user + system) / 1e6 };
}

/** Medians over the rounds; `pool-file` is by wall clock, the others per core; the ratio is that of each round. */
function reportRounds(report: Report, rounds: readonly Round[], size: number): void {
  const middle = (value: (round: Round) => number) => median(rounds.map(value));
  for (const name of rounds[0]!.perCore.keys()) {
    report.result(
      name,
      middle(({ perCore }) => perCore.get(name)!),
      'B/s',
    );
  }
  report.result(
    'pool-file',
    middle(({ poolSeconds }) => size / poolSeconds),
    'B/s',
  );
  report.result(
    'cpu-pool-file',
    middle(({ poolCpuSeconds }) => poolCpuSeconds),
    's',
  );
  report.result(
    'ratio',
    middle(({ perCore }) => perCore.get('kernel-4-lanes')! / perCore.get('node-crypto')!),
    'x',
  );
}
