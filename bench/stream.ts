/**
 * `node dist/bench/stream.js [--size BYTES] [--runs N] [--json]`: a film is watched while a daemon that has a twentieth
 * of it downloads it, at no more than 16 MiB a second. Seconds to the first byte from the start, to the first byte and
 * to all of the last MiB after a jump to the end. Fails unless every byte is right and the download completes.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Program } from './lib/program.js';
import { sameContent } from './lib/random-file.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { listensAt, startServedSwarm } from './lib/served-swarm.js';

const LIMIT = 16 * 2 ** 20;
const JUMP = 2 ** 20;
/** Of the file, before it is watched. */
const SHARE = 0.05;
const LOOK_MS = 20;
const COMPLETE_WITHIN_MS = 120_000;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: String(2 ** 30) },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const size = Number(values.size);

await inScratchFolder(async (folder) => {
  const program = new Program(folder);
  const { md5, magnet, source, tracker, end } = await startServedSwarm(program, folder, { size, files: 0 });
  const downloads = join(folder, 'downloads');
  const flags = ['--downloads', downloads, '--state', join(folder, 'watcher'), '--tracker', tracker];
  const at = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const daemon = await program.start('watcher', ['daemon', ...flags, ...at]);
  const url = `http://${await listensAt(daemon, 'http')}`;
  const film = await open(source);

  /** Seconds until the first byte of the bytes from `from`, and until all of the first `length` were read and compared. */
  async function watch(from: number, length: number): Promise<{ first: number; all: number }> {
    const started = performance.now();
    const passed = () => (performance.now() - started) / 1000;
    const ending = new AbortController();
    const response = await fetch(`${url}/files/${md5}`, {
      headers: { range: `bytes=${from}-` },
      signal: ending.signal,
    });
    if (response.status !== 206) daemon.fail(`it answers ${response.status}: ${await response.text()}`);
    let first = 0;
    const chunks: Uint8Array[] = [];
    let got = 0;
    for await (const chunk of response.body! as unknown as AsyncIterable<Uint8Array>) {
      first ||= passed();
      chunks.push(chunk);
      got += chunk.length;
      if (got >= length) break;
    }
    const all = passed();
    ending.abort();
    const right = Buffer.alloc(length);
    await film.read(right, 0, length, from);
    if (!Buffer.concat(chunks).subarray(0, length).equals(right)) daemon.fail(`bytes from ${from} are wrong`);
    return { first, all };
  }

  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { headers }),
      ...json,
    });
    if (!response.ok) daemon.fail(`${method} ${path}: ${await response.text()}`);
    return (response.status === 204 ? null : await response.json()) as T;
  };
  const until = async (what: (file: { stored: number; state: string }) => boolean) => {
    for (const end = performance.now() + COMPLETE_WITHIN_MS; ; await wait(LOOK_MS)) {
      const file = await call<{ stored: number; state: string }>('GET', `/files/${md5}`);
      if (what(file)) return file;
      if (performance.now() > end) daemon.fail(`the download is still ${file.state}`);
    }
  };

  const starts: number[] = [];
  const jumps: { first: number; all: number }[] = [];
  const shares: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    await call('PATCH', '/settings', { downloadLimit: LIMIT });
    await call('POST', '/files', { magnet });
    shares.push((await until(({ stored }) => stored >= SHARE * size)).stored / size);
    starts.push((await watch(0, JUMP)).first);
    jumps.push(await watch(size - JUMP, JUMP));
    await call('PATCH', '/settings', { downloadLimit: null });
    await until(({ state }) => state === 'shared');
    if (!(await sameContent(source, join(downloads, 'source.bin')))) daemon.fail('its file differs');
    await call('DELETE', `/files/${md5}?data=true`);
  }
  await film.close();
  await daemon.end();
  await end();
  const report = new Report('stream', values.json);
  report.run();
  report.result('had', median(shares), 'x');
  report.result('first-byte', median(starts), 's');
  report.result('first-byte-worst', Math.max(...starts), 's');
  report.result('jump-first-byte', median(jumps.map(({ first }) => first)), 's');
  report.result('jump-first-byte-worst', Math.max(...jumps.map(({ first }) => first)), 's');
  report.result('jump-last-mib', median(jumps.map(({ all }) => all)), 's');
});
