/**
 * `node dist/bench/kill-resume.js [--size BYTES] [--kills N] [--rate BYTES/s] [--json]`: a rate-limited `get`
 * killed (SIGKILL) at random moments and started again; prints how much of it was fetched twice.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killAndResume } from './lib/kill-and-resume.js';
import { Program } from './lib/program.js';
import { sameContent, writeRandomFile } from './lib/random-file.js';
import { Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { startSeededSwarm } from './lib/seeded-swarm.js';

const PART = 262_144;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: String(256 * 1024 * 1024) },
    kills: { type: 'string', default: '20' },
    rate: { type: 'string', default: String(16_000_000) },
    json: { type: 'boolean', default: false },
  },
});
const [size, kills, rate] = [Number(values.size), Number(values.kills), Number(values.rate)];

await inScratchFolder(async (folder) => {
  const [source, target] = [join(folder, 'source.bin'), join(folder, 'target.bin')];
  await writeRandomFile(source, size);
  const program = new Program(folder);
  const swarm = await startSeededSwarm(program, source, 1);
  const args = ['get', swarm.magnet, '-o', target, '--json', '--no-seed', '--download-limit', String(rate)];
  // All kills but the unlucky ones fall into the download: it takes longer than all lives together.
  const longest = (1.6 * size) / rate / kills;
  const report = new Report('kill-resume', values.json);
  const result = await killAndResume({
    start: () => program.start('get', args),
    kills,
    lifetime: () => Math.random() * longest * 1000,
  });
  const parts = result.refetched.map((bytes) => bytes / PART);
  const worst = Math.max(0, ...parts);
  const right = await sameContent(source, target);
  report.result('kills', result.kills, 'kills');
  report.result('refetched-worst', worst, 'parts');
  report.result(
    'refetched-mean',
    parts.reduce((sum, each) => sum + each, 0) / Math.max(1, parts.length),
    'parts',
  );
  report.note(right ? 'the file is right' : 'the file is WRONG');
  if (!right || worst > 16) process.exitCode = 1;
  for (const child of swarm.processes.values()) await child.end();
});
