import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { get } from '../support/http.js';
import { TestProgram } from '../support/process.js';
import { runCommand } from './run-command.js';

const WITHIN_MS = 20_000;
const TOKEN = 'sixteen-characters-or-more';
const TRACKER = ['tracker', '--listen', '127.0.0.1:0', '--http'];

test('HTTP for other machines needs a token, and the error says how to give one: exit code 2', async () => {
  for (const at of ['0.0.0.0:0', '[::]:0', '192.0.2.1:5080']) {
    const { code, stderr } = await runCommand([...TRACKER, at]);
    assert.equal(code, 2, at);
    assert.match(
      stderr,
      /--http \S+ can be reached from other machines.*--http-token-file FILE or BUGTORRENT_HTTP_TOKEN/,
    );
  }
});

test('a token that is too short, given twice, or in no file is an error before anything is started', async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, 'token');
  await writeFile(file, 'short\n');
  for (const [flags, code, message] of [
    [['--http-token', 'short'], 2, /--http-token: 'short' is not valid; expected 16 to 256 visible ASCII/],
    [['--http-token-file', file], 2, /the token file .* holds no token; expected 16/],
    [['--http-token-file', `${file}-none`], 6, /the token file .* cannot be read \(ENOENT\)/],
    [['--http-token-file', file, '--http-token', TOKEN], 2, /--http-token and --http-token-file contradict/],
  ] as const) {
    const outcome = await runCommand([...TRACKER, '127.0.0.1:0', ...flags]);
    assert.equal(outcome.code, code);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stdout, '');
  }
});

test('with a token in a file, whoever brings it sees the metrics of a listener for all', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  const program = new TestProgram(t, folder);
  const tracker = await program.cli(...TRACKER, '0.0.0.0:0', '--http-token-file', 'token');
  const port = await tracker.line(
    (line) => /^http listening on 0\.0\.0\.0:(\d+)$/.exec(line)?.[1],
    WITHIN_MS,
  );
  const url = `http://127.0.0.1:${port}/metrics`;
  assert.equal((await get(url)).status, 401);
  const { status, body } = await get(url, { authorization: `Bearer ${TOKEN}`, host: 'tracker.example' });
  assert.equal(status, 200);
  assert.match(body, /^bugtorrent_tracker_sessions 0$/m);
});

test('a port for HTTP that was asked for and is taken is an error, and nothing keeps running: exit code 4', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const program = new TestProgram(t, folder);
  const where = ['--state', 'state', '--listen', '127.0.0.1:0', '--tracker-listen', '127.0.0.1:0'];
  const start = await program.cli('start', '--share', 'share', ...where, '--http', taken);
  assert.equal((await start.exit(WITHIN_MS)).code, 4);
  assert.match(start.stderr.all.join('\n'), new RegExp(`${taken} is in use .* --http 127.0.0.1:0`));
  assert.ok(!existsSync(join(folder, 'state', 'http.json')));
});

test('two daemons that ask for nothing both get a port, and --http off none', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'share'));
  const program = new TestProgram(t, folder);
  const daemon = (state: string, ...more: string[]) =>
    program.cli('daemon', '--share', 'share', '--state', state, '--listen', '127.0.0.1:0', ...more);
  const http = (line: string) => /^http listening on (127\.0\.0\.1:\d+)$/.exec(line)?.[1];
  const ports = [];
  for (const state of ['one', 'two']) ports.push(await (await daemon(state)).line(http, WITHIN_MS));
  assert.notEqual(ports[0], ports[1]);
  const silent = await daemon('three', '--http', 'off');
  await silent.line((line) => /^daemon listening/.exec(line), WITHIN_MS);
  assert.equal((await silent.end()).code, 0);
  assert.ok(!silent.stdout.all.some((line) => http(line) !== undefined));
  assert.ok(!existsSync(join(folder, 'three', 'http.json')));
});
