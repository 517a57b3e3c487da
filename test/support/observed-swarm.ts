/**
 * A tracker and a daemon whose metrics have something to tell: more peers want a file than there are slots, a part is
 * downloaded from one who lies, requests are refused, searches come and are answered. It goes on until the test is over.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Program } from '../../bench/lib/program.js';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { flood } from '../../src/daemon/flood.js';
import { TransfersFile } from '../../src/daemon/transfers-file.js';
import { parseFileMd5, randomPacketId } from '../../src/model/ids.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import { BaseClient, type BaseFile } from './base-client.js';
import { BasePeer } from './base-peer.js';
import { lying, type Script } from './base-script.js';
import { atEnd, type Scope } from './clean-up.js';
import { md5, seededBytes, tempFolder } from './files.js';
import { listening, TestProgram } from './process.js';
import { type Endpoint, Receiver } from './receiver.js';
import { endpoint, ownersOf } from './swarm.js';

const NEXT_ROUND_MS = 500;
const PART = 262_144;
const SHARED_PARTS = 240;
const WANTED_PARTS = 16;
const UNKNOWN = 'f'.repeat(32);

export interface Observed {
  /** HOST:PORT of the metrics. */
  readonly tracker: string;
  readonly daemon: string;
}

export async function observedSwarm(t: Scope): Promise<Observed> {
  const folder = await tempFolder(t);
  for (const name of ['share', 'downloads', 'state']) await mkdir(join(folder, name));
  const program = new TestProgram(t, folder);
  const http = ['--http', '127.0.0.1:0'];
  const memory = ['tracker', '--store', 'memory:'];
  const near = await program.cli(...memory, '--listen', '127.0.0.1:0', '--state', 'near', ...http);
  const trackerAt = await listening(near, 'tracker');
  const far = await program.cli(
    ...memory,
    '--listen',
    '127.0.1.1:0',
    '--state',
    'far',
    '--neighbour',
    trackerAt,
  );
  const farAt = endpoint(await listening(far, 'tracker'));
  const at = endpoint(trackerAt);

  const wanted = await ownedByOthers(t, at);
  const magnet = { md5: parseFileMd5(wanted.md5)!, name: wanted.name, size: wanted.size, trackers: [at] };
  await new TransfersFile(join(folder, 'state', 'downloads.json')).write([
    { magnet, priority: 'normal', paused: false, sequential: false },
  ]);
  const content = seededBytes('observed', SHARED_PARTS * PART);
  const shared = { md5: md5(content), name: 'observed.bin', size: content.length, partSize: PART };
  await writeFile(join(folder, 'share', shared.name), content);
  await symlink(join(folder, 'state'), join(folder, 'share', 'outside'));
  const daemon = await program.cli(
    ...['daemon', '--share', 'share', '--downloads', 'downloads', '--state', 'state', '--tracker', trackerAt],
    ...['--listen', '127.0.0.2:0', '--slots', '1', '--cache', '16M', '--metrics-files', '2', ...http],
    ...['--upload-limit', '4M', '--download-limit', '1M'],
  );
  const daemonAt = endpoint(await listening(daemon, 'daemon'));
  const others = new BaseClient({ tracker: at, v4: '127.0.0.9', port: 5009 });
  await others.login();
  await ownersOf(others, shared, 1);
  for (const host of ['127.0.0.3', '127.0.0.4', '127.0.0.5']) {
    const output = join(folder, `${host}.bin`);
    const where = ['--tracker', trackerAt, '--listen', `${host}:0`, '-o', output];
    untilTheEnd(t, async (signal) => {
      await rm(output, { force: true });
      await getWhole(folder, [shared.md5, '--no-seed', ...where], signal);
    });
  }

  untilTheEnd(t, async (signal) => {
    await others.retp(daemonAt, UNKNOWN, 0);
    await others.fchu(UNKNOWN, 1);
    await Promise.all([at, daemonAt].map(sayNonsense));
    await answerUnasked(at);
    await Promise.all([searchFrom(farAt, shared.name, signal), searchFrom(at, 'nobody has this', signal)]);
  });
  return { tracker: await listening(near, 'http'), daemon: await listening(daemon, 'http') };
}

/** A file that the tracker says two peers have: one that lies about each third part, and an honest one. */
async function ownedByOthers(t: Scope, tracker: Endpoint): Promise<BaseFile> {
  const content = seededBytes('owned by others', WANTED_PARTS * PART);
  const file = { md5: md5(content), name: 'wanted.bin', size: content.length, partSize: PART };
  const scripts: (Script | undefined)[] = [lying(() => true), undefined];
  for (const [i, script] of scripts.entries()) {
    const host = `127.0.0.${i + 20}`;
    const peer = await new BasePeer({ content, host, ...(script === undefined ? {} : { script }) }).start();
    atEnd(t, () => peer.stop());
    const client = new BaseClient({ tracker, v4: host, port: peer.port });
    await client.login();
    await client.addr(file);
    for (let part = 0; part < WANTED_PARTS; part++) await client.rpad(file.md5, part);
  }
  return file;
}

/** One download, given up when the test is over. */
async function getWhole(folder: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const get = await new Program(folder).start('get', ['get', ...args]);
  const giveUp = () => void get.end();
  signal.addEventListener('abort', giveUp);
  const { code } = await get.exited;
  signal.removeEventListener('abort', giveUp);
  if (code !== 0) get.fail('failed');
}

async function sayNonsense(to: Endpoint): Promise<void> {
  const receiver = await Receiver.open(to, '127.0.0.9', 5_000);
  receiver.send('What is this?');
  await receiver.endsWithoutAByte();
  receiver.close();
}

async function answerUnasked(to: Endpoint): Promise<void> {
  const receiver = await Receiver.open(to, '127.0.0.9', 5_000);
  const answer = { packet: randomPacketId(randomBytes), md5: parseFileMd5(UNKNOWN)!, name: 'x' };
  const address = { v4: '127.0.0.9', v6: null, port: 5009 };
  receiver.send(encodeRequest({ command: 'AQUE', address, ...answer }));
  receiver.close();
}

async function searchFrom(tracker: Endpoint, text: string, signal: AbortSignal): Promise<void> {
  const listen = { host: '127.0.0.1', port: 0 };
  const quiet = { announce: null, clock: systemClock, logger: silentLogger };
  await flood({ ...{ text, want: 1, trackers: [tracker], listen, signal, onResult: () => true }, ...quiet });
}

/** `round` again and again, until the test is over; what it is interrupted in then may fail. */
function untilTheEnd(t: Scope, round: (signal: AbortSignal) => Promise<void>): void {
  const over = new AbortController();
  const { signal } = over;
  const rounds = async () => {
    while (!signal.aborted) {
      await round(signal);
      await wait(NEXT_ROUND_MS, null, { signal });
    }
  };
  const ended = rounds().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  atEnd(t, () => {
    over.abort();
    return ended;
  });
}
