/**
 * `node dist/bench/tracker-kills.js [--kills N] [--interval MS] [--residents N] [--commuters N] [--json]`: a tracker with
 * an lmdb store killed (SIGKILL) at random moments under load and started again; prints how much of what it had answered
 * longer than the interval ago was lost.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Program } from './lib/program.js';
import { sameContent, writeRandomFile } from './lib/random-file.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { killTracker } from './lib/tracker-kills.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    interval: { type: 'string', default: '50' },
    residents: { type: 'string', default: '6' },
    commuters: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

await inScratchFolder(async (folder) => {
  const [source, target] = [join(folder, 'source.bin'), join(folder, 'target.bin')];
  await writeRandomFile(source, 1_000_000);
  const report = new Report('tracker-kills', values.json);
  const result = await killTracker({
    program: new Program(folder),
    kills: Number(values.kills),
    intervalMs: Number(values.interval),
    residents: Number(values.residents),
    commuters: Number(values.commuters),
    source,
    target,
    lifetime: () => 100 + Math.random() * 700,
    random: Math.random,
  });
  const right = await sameContent(source, target);
  report.result('kills', result.kills, 'kills');
  report.result('interval', Number(values.interval) / 1_000, 's');
  report.result('answers', result.answers, 'requests');
  report.result('changes-kept', result.changes, 'changes');
  report.result('changes-lost', result.lost, 'changes');
  report.result('sessions-kept', result.sessions - result.sessionsLost, 'sessions');
  report.result('sessions-lost', result.sessionsLost, 'sessions');
  report.result('seed-missing', result.seedMissing, 'kills');
  report.result('start', median(result.starts) / 1_000, 's');
  report.note(right ? 'the file is right' : 'the file is WRONG');
  if (!right || result.lost + result.sessionsLost + result.seedMissing > 0) process.exitCode = 1;
});
