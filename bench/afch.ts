/**
 * `node dist/bench/afch.js [--owners N] [--parts N] [--json]`: microseconds of CPU time that a tracker takes to answer one
 * FCHU of a swarm whose owners have different parts: found, sampled and encoded.
 */
import { parseArgs } from 'node:util';
import { partGeometry } from '../src/model/geometry.js';
import type { SessionId } from '../src/model/ids.js';
import { MemoryStore } from '../src/tracker/memory-store.js';
import { Tracker } from '../src/tracker/tracker.js';
import { median, Report } from './lib/report.js';
import { addressOfPeer, md5OfFile, PART_SIZE, partsOfPeer } from './tracker-load/population.js';

const { values } = parseArgs({
  options: {
    owners: { type: 'string', default: '5000' },
    parts: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const ROUNDS = 51;
const CALLS = 10;
const ip = '127.0.0.1';
const parts = Number(values.parts);
const md5 = md5OfFile(0);
const store = new MemoryStore();
const tracker = new Tracker({
  store,
  clock: { now: () => 0 },
  random: Math.random,
  randomBytes: (count) => new Uint8Array(count),
  trustAnnouncedAddresses: false,
  access: { admitsAddress: () => true, admitsFile: () => true, termsOf: () => undefined },
});
/** The last one only asks. */
const sessions = Array.from({ length: Number(values.owners) + 1 }, (_, peer) => {
  const candidate = `S${String(peer).padStart(15, '0')}` as SessionId;
  store.logIn({ address: addressOfPeer(peer, ip), proven: 1, candidate, now: 0 });
  return candidate;
});
const geometry = partGeometry(parts * PART_SIZE, PART_SIZE);
store.addFile({ session: sessions[0]!, ip, now: 0 }, { md5, name: 'a', geometry });
for (const [peer, session] of sessions.slice(0, -1).entries()) {
  for (const part of partsOfPeer(peer, 0, parts)) store.addPart({ session, ip, now: 0 }, md5, part);
}
const asker = sessions.at(-1)!;
const microseconds = Array.from({ length: ROUNDS }, () => {
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS; call += 1) {
    void tracker.handle({ command: 'FCHU', session: asker, md5 }, { ip });
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
});
new Report('afch', values.json).result(
  `owners-${values.owners}-parts-${values.parts}`,
  median(microseconds),
  'us',
);
