/**
 * `node dist/bench/tracker-memory.js [--json]`: bytes of memory that a memory store takes for each ownership, at 10,000,
 * 100,000 and 1,000,000 of them: files of 64 parts with 100 owners each, of whom one is a source and the others have half
 * of the parts (`incomplete`) or all (`complete`). Each figure is of a process of its own, its names and sessions included.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { partGeometry } from '../src/model/geometry.js';
import type { SessionId } from '../src/model/ids.js';
import { MemoryStore } from '../src/tracker/memory-store.js';
import { Report } from './lib/report.js';
import { addressOfPeer, md5OfFile, nameOfFile, PART_SIZE } from './tracker-load/population.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** For the processes that this one starts: ownerships, and whether their owners are complete. */
    ownerships: { type: 'string' },
    complete: { type: 'boolean', default: false },
  },
});

const OWNERS = 100;
const PARTS = 64;
const CURVE = [10_000, 100_000, 1_000_000];
const IP = '127.0.0.1';
/** From one owner of a file to the next: different, so that two files have few owners in common; no divisors of 10. */
const STEPS = [1, 3, 7, 9, 11, 13, 17];

if (values.ownerships === undefined) reportCurve();
else process.stdout.write(JSON.stringify(measure(Number(values.ownerships), values.complete)));

interface Footprint {
  /** Resident, at the most while the store was filled. */
  readonly peak: number;
  /** Resident after a collection, without what the process had before. */
  readonly kept: number;
}

function reportCurve(): void {
  const report = new Report('tracker-memory', values.json);
  for (const kind of ['incomplete', 'complete']) {
    for (const ownerships of CURVE) {
      const { peak, kept } = inOwnProcess(ownerships, kind === 'complete');
      report.result(`${kind}-${ownerships}/per-ownership`, kept / ownerships, 'B');
      report.result(`${kind}-${ownerships}/peak`, peak, 'B');
    }
  }
}

function inOwnProcess(ownerships: number, complete: boolean): Footprint {
  const args = [
    fileURLToPath(import.meta.url),
    ...['--ownerships', String(ownerships), ...(complete ? ['--complete'] : [])],
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`filling a store failed: ${stderr}`);
  return JSON.parse(stdout) as Footprint;
}

function measure(ownerships: number, complete: boolean): Footprint {
  const files = ownerships / OWNERS;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage.rss();
  const store = new MemoryStore();
  // As many sessions as files: each is one owner in a hundred files.
  const sessions = Array.from({ length: files }, (_, peer) => {
    const candidate = `S${String(peer).padStart(15, '0')}` as SessionId;
    store.logIn({ address: addressOfPeer(peer, IP), proven: 1, candidate, now: 0 });
    return { session: candidate, ip: IP, now: 0 };
  });
  const parts = complete ? PARTS : PARTS / 2;
  for (let file = 0; file < files; file += 1) {
    const md5 = md5OfFile(file);
    store.addFile(sessions[file]!, {
      md5,
      name: nameOfFile(file),
      geometry: partGeometry(PARTS * PART_SIZE, PART_SIZE),
    });
    for (let owner = 1; owner < OWNERS; owner += 1) {
      const caller = sessions[(file + owner * STEPS[file % STEPS.length]!) % files]!;
      for (let part = 0; part < parts; part += 1) store.addPart(caller, md5, part);
    }
  }
  const peak = process.resourceUsage().maxRSS * 1_024;
  collect();
  if (store.stats().ownerships !== ownerships) throw new Error(`${store.stats().ownerships} ownerships`);
  return { peak, kept: process.memoryUsage.rss() - before };
}
