import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseHostPort } from '../../src/model/address.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { formatMagnet } from '../../src/model/magnet.js';
import type { Child } from './child.js';
import type { Program } from './program.js';
import { writeRandomFile } from './random-file.js';

const STARTS_WITHIN_MS = 60_000;
const LISTED_WITHIN_MS = 300_000;
const LOOK_MS = 100;

/** A tracker and a daemon of it, each a process with HTTP. */
export interface ServedSwarm {
  readonly magnet: string;
  readonly md5: string;
  /** The large file that is shared. */
  readonly source: string;
  readonly daemon: Child;
  /** `http://HOST:PORT` of the daemon. */
  readonly url: string;
  /** HOST:PORT. */
  readonly tracker: string;
  end(): Promise<void>;
}

/** Starts both in `folder`, with one file of `size` bytes and `files` small ones; settles when the tracker lists them all. */
export async function startServedSwarm(
  program: Program,
  folder: string,
  { size, files }: { readonly size: number; readonly files: number },
): Promise<ServedSwarm> {
  const shared = join(folder, 'shared');
  const source = join(shared, 'source.bin');
  await mkdir(shared);
  const md5 = await writeRandomFile(source, size);
  for (let i = 0; i < files; i++) await writeFile(join(shared, `small-${i}.txt`), `small file ${i}\n`);
  const http = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const tracker = await program.start('tracker', ['tracker', '--store', 'memory:', ...http]);
  const at = await listensAt(tracker, 'tracker');
  const trackerUrl = `http://${await listensAt(tracker, 'http')}`;
  const shares = ['--share', shared, '--state', join(folder, 'state')];
  const daemon = await program.start('daemon', ['daemon', ...shares, '--tracker', at, ...http]);
  const url = `http://${await listensAt(daemon, 'http')}`;
  await listed(trackerUrl, files + 1);
  const trackers = [parseHostPort(at, 0)!];
  return {
    magnet: formatMagnet({ md5: md5 as FileMd5, name: 'source.bin', size, trackers }),
    ...{ md5, source, daemon, url, tracker: at },
    async end() {
      await daemon.end();
      await tracker.end();
    },
  };
}

/** HOST:PORT that it says; `what` is `http` for where it serves HTTP. */
export function listensAt(child: Child, what: string): Promise<string> {
  const start = `${what} listening on `;
  return child.line((line) => (line.startsWith(start) ? line.slice(start.length) : null), STARTS_WITHIN_MS);
}

async function listed(url: string, files: number): Promise<void> {
  for (const until = performance.now() + LISTED_WITHIN_MS; ; await wait(LOOK_MS)) {
    const text = await (await fetch(`${url}/metrics`)).text();
    if (Number(/^bugtorrent_tracker_files (\d+)$/m.exec(text)?.[1]) === files) return;
    if (performance.now() > until) throw new Error(`the tracker does not list ${files} files`);
  }
}
