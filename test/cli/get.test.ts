import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { DownloadScenario } from '../support/download-scenario.js';
import { seededBytes } from '../support/files.js';
import { requireProgram } from '../support/requires.js';
import { bareEnvironment, eventsIn, MAIN, runCommand } from './run-command.js';

const content = seededBytes('get', 1_000_000);
/** Gives a process a terminal and writes down what it gets. */
const PTY_PROGRAM = 'script';

/** A file with one honest owner; `args` of `get` for it, without a target. */
async function scenario(t: TestContext, more: { bytesPerSecond?: number; name?: string } = {}) {
  const { name = 'film.mkv', ...peer } = more;
  const swarm = await DownloadScenario.start(t, { content, name, peers: [peer] });
  const tracker = `127.0.0.1:${swarm.tracker.port}`;
  const common = ['--listen', '127.0.0.1:0', '--no-seed'];
  const run = (...args: string[]) => runCommand(['get', ...args, ...common], { cwd: swarm.folder });
  return { swarm, tracker, run, common };
}

async function assertGot(folder: string, name: string): Promise<void> {
  assert.ok((await readFile(join(folder, name))).equals(content));
}

describe('what get prints without a terminal', () => {
  test('is one line on stderr when it is done', async (t) => {
    const { swarm, tracker, run } = await scenario(t);
    const { code, stdout, stderr } = await run('film.mkv', '--tracker', tracker);
    assert.deepEqual([code, stdout], [0, '']);
    assert.match(stderr, new RegExp(`^film\\.mkv: 977 KiB in [\\d.]+ s \\(.*/s\\), MD5 ${swarm.id}\\n$`));
    await assertGot(swarm.folder, 'film.mkv');
  });

  test('is nothing with --quiet, but for errors', async (t) => {
    const { tracker, run } = await scenario(t);
    const done = await run('film.mkv', '--quiet', '--tracker', tracker);
    assert.deepEqual(done, { code: 0, stdout: '', stderr: '' });
    const failed = await run('book', '-q', '--tracker', tracker);
    assert.equal(failed.code, 3);
    assert.match(failed.stderr, /^bugtorrent: [^\n]*book[^\n]*\n$/);
  });

  test('is objects on stdout with --json: progress, and the end of it', async (t) => {
    const { swarm, tracker, run } = await scenario(t);
    const { code, stdout, stderr } = await run('film.mkv', '--json', '--tracker', tracker);
    assert.deepEqual([code, stderr], [0, '']);
    const events = eventsIn(stdout);
    const { seconds, ...done } = events.pop()!;
    assert.ok(typeof seconds === 'number' && seconds > 0);
    const size = content.length;
    assert.deepEqual(done, { event: 'done', md5: swarm.id, path: 'film.mkv', bytes: size, fetched: size });
    const last = events.pop()!;
    assert.deepEqual(Object.keys(last), ['event', 'bytes', 'total', 'fetched', 'rate', 'peers', 'parts']);
    assert.deepEqual(
      [last.event, last.bytes, last.total, last.fetched, last.parts],
      ['progress', size, size, size, 4],
    );
    assert.ok(typeof last.rate === 'number' && last.rate > size / (seconds + 1), `${last.rate} B/s`);
  });
});

describe('where get puts the file', () => {
  test('-o - is stdout, byte for byte, with all else on stderr', async (t) => {
    const { swarm, tracker, common } = await scenario(t);
    const args = [MAIN, 'get', 'film.mkv', '-o', '-', '--tracker', tracker, ...common];
    const child = spawn(process.execPath, args, { env: bareEnvironment(), cwd: swarm.folder });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.equal(code, 0, stderr);
    assert.ok(Buffer.concat(chunks).equals(content));
    assert.match(stderr, /^stdout: 977 KiB/);
  });

  test('-o - is a failure when nobody reads on', async (t) => {
    const { swarm, tracker, common } = await scenario(t);
    const args = [MAIN, 'get', 'film.mkv', '-o', '-', '--tracker', tracker, ...common];
    const child = spawn(process.execPath, args, { env: bareEnvironment(), cwd: swarm.folder });
    child.stdout.once('data', () => child.stdout.destroy());
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    const message = 'bugtorrent: stdout: its reader went away before it had the whole file\n';
    assert.deepEqual([code, stderr], [6, message]);
  });

  test('a folder that is missing is named, with what to do, before a tracker is asked', async (t) => {
    const { swarm, tracker, run } = await scenario(t);
    await writeFile(join(swarm.folder, 'file'), '');
    for (const [output, message] of [
      ['new/', 'new/: no such file or folder; create the folder, or choose another place'],
      ['no/new/film.mkv', 'no/new: no such file or folder; create the folder, or choose another place'],
      ['file/film.mkv', 'file: a part of its path is a file, not a folder; choose another place'],
      ['file/', 'file/: a part of its path is a file, not a folder; choose another place'],
    ] as const) {
      const { code, stderr } = await run('film.mkv', '-o', output, '--tracker', tracker);
      assert.deepEqual([code, stderr], [6, `bugtorrent: ${message}\n`]);
    }
    assert.deepEqual(swarm.tracker.requests, []);
  });

  test('a folder that exists needs no slash', async (t) => {
    const { swarm, tracker, run } = await scenario(t);
    await mkdir(join(swarm.folder, 'films'));
    assert.equal((await run('film.mkv', '-o', 'films', '--tracker', tracker)).code, 0);
    await assertGot(swarm.folder, 'films/film.mkv');
  });
});

describe('which trackers get asks', () => {
  test('those of the magnet link, when none is named', async (t) => {
    const { swarm, tracker, run } = await scenario(t);
    assert.equal((await run(`magnet:?xt=urn:md5:${swarm.id}&tr=bugtorrent://${tracker}`)).code, 0);
  });

  test('those that are named and those of the magnet link', async (t) => {
    const { swarm, tracker, run } = await scenario(t);
    const { tracker: other } = await scenario(t);
    const result = await run(`magnet:?xt=urn:md5:${swarm.id}&tr=bugtorrent://${other}`, '--tracker', tracker);
    assert.equal(result.code, 0, result.stderr);
  });
});

test('an interrupted get says in one line that the same command goes on: exit code 130', async (t) => {
  const { swarm, tracker, common } = await scenario(t, { bytesPerSecond: 300_000 });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const get = await swarm.program.cli('get', 'film.mkv', '--json', '--tracker', tracker, ...common);
    await get.line((line) => (line.includes('"progress"') ? line : null), 20_000);
    get.kill(signal);
    assert.equal((await get.exit(20_000)).code, 130);
    const message = 'interrupted; the same command goes on from here';
    assert.deepEqual(get.stderr.all, [`bugtorrent: ${message}`]);
    assert.deepEqual(JSON.parse(get.stdout.all.at(-1)!), { event: 'error', code: 130, message });
  }
});

describe('on a terminal', () => {
  /** Runs `bugtorrent ARGS` on a terminal; `answer` is typed when `prompt` is shown. Returns what the terminal got. */
  async function onTerminal(args: readonly string[], cwd: string, prompt: RegExp | null, answer: string) {
    const quoted = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn(PTY_PROGRAM, ['-qec', `stty cols 60; ${quoted}`, '/dev/null'], {
      env: bareEnvironment({ TERM: 'xterm' }),
      cwd,
    });
    let shown = '';
    let answered = false;
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      shown += more;
      if (answered || prompt === null || !prompt.test(shown)) return;
      answered = true;
      child.stdin.write(answer);
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, shown };
  }

  test('the progress is one line that is redrawn, fits the terminal and is gone in the end', async (t) => {
    if (!requireProgram(t, PTY_PROGRAM)) return;
    const { swarm, tracker, common } = await scenario(t, { bytesPerSecond: 700_000 });
    const { code, shown } = await onTerminal(
      ['get', 'film.mkv', '--tracker', tracker, ...common],
      swarm.folder,
      null,
      '',
    );
    assert.equal(code, 0, shown);
    const redraws = shown.split('\r\u001b[K');
    assert.ok(redraws.length > 3, JSON.stringify(shown));
    for (const line of redraws.slice(0, -1)) {
      assert.ok(line.length < 60, JSON.stringify(line));
      assert.match(line, /\d+%/);
    }
    assert.match(redraws.at(-1)!, /^\u001b\[32mfilm\.mkv: 977 KiB in .*\u001b\[0m\r\n$/);
  });

  test('several files of a name are listed by number, and the one that is chosen is fetched', async (t) => {
    if (!requireProgram(t, PTY_PROGRAM)) return;
    const { swarm, tracker, common } = await scenario(t);
    swarm.tracker.publish({ md5: 'a'.repeat(32), name: 'film two.mkv', fileSize: 5, partSize: 5 });
    const args = ['get', 'film', '-o', 'chosen', '--tracker', tracker, ...common];
    const first = await onTerminal(args, swarm.folder, /Which one\?/, '3\n1\n');
    assert.equal(first.code, 0, first.shown);
    assert.match(
      first.shown,
      new RegExp(`1\\) ${swarm.id} +977 KiB  film\\.mkv\r\n2\\) a{32} +5 B  film two\\.mkv`),
    );
    await assertGot(swarm.folder, 'chosen');
    const none = await onTerminal(args, swarm.folder, /Which one\?/, '\n');
    assert.equal(none.code, 3, none.shown);
    const ended = await onTerminal(args, swarm.folder, /Which one\?/, '\u0004');
    assert.equal(ended.code, 3, ended.shown);
    const interrupted = await onTerminal(args, swarm.folder, /Which one\?/, '\u0003');
    assert.equal(interrupted.code, 130, interrupted.shown);
  });
});
