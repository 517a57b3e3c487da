import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { bareEnvironment, eventsIn, MAIN, runCommand } from '../cli/run-command.js';
import { ApiScene } from '../support/api-daemon.js';
import { atEnd } from '../support/clean-up.js';
import { md5, seededBytes } from '../support/files.js';
import { requireProgram } from '../support/requires.js';
import { soon } from '../support/soon.js';

const PART = 262_144;
const NAME = 'film.mkv';
const HOSTILE = 'mine\u001b[2J.bin';
const content = seededBytes('commands', 4 * PART + 7);
const ID = md5(content);
const TOKEN = 'a-token-of-this-test';

/** Runs a command against the daemon of the scene. */
const commandIn =
  (scene: ApiScene) =>
  (...args: string[]) =>
    runCommand([...args, '--state', scene.path('state')]);

test('a magnet link is downloaded, listed, and deleted again, with what the daemon does meanwhile', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ [NAME]: content });
  await scene.daemon();
  const command = commandIn(scene);
  assert.deepEqual(await command('ls'), { code: 0, stdout: '', stderr: 'the daemon has no files yet\n' });

  const added = await command('add', `magnet:?xt=urn:md5:${ID}`, '--json');
  assert.deepEqual([added.code, added.stderr], [0, '']);
  const [{ event, md5: told }] = eventsIn(added.stdout) as [{ event: string; md5: string }];
  assert.deepEqual([event, told], ['added', ID]);
  const twice = await command('add', ID);
  assert.deepEqual([twice.code, twice.stdout], [2, '']);

  await soon(async () => (await command('ls', 'film', '--state-filter', 'shared')).code === 0);
  const { stdout: listed } = await command('ls');
  assert.equal(listed, `${ID}  shared       100%   1.0 MiB           -      -  ${NAME}\n`);
  const { stdout: objects } = await command('ls', '--json');
  assert.equal(eventsIn(objects)[0]!.path, scene.path('downloads', NAME));
  const { stdout: status } = await command('status');
  assert.match(status, /^files {5}1 file, 1\.0 MiB shared; 0 downloads$/m);
  assert.match(status, /\nall is well\n$/);
  const { stdout: frame } = await command('top');
  // Looking at a file has the trackers asked for its owners: what they say comes with a later frame.
  assert.match(frame, /^ {0,2}5 of 5 parts, 100%, (0 owners|1 owner): film\.mkv\n\[#####\]$/m);

  const unconfirmed = await command('rm', ID, '--data');
  assert.deepEqual(
    [unconfirmed.code, existsSync(scene.path('downloads', NAME))],
    [2, true],
    'nobody is there to ask',
  );
  const removed = await command('rm', NAME, '--data', '--yes');
  assert.deepEqual(removed, { code: 0, stdout: `${ID}  deleted  ${NAME}\n`, stderr: '' });
  assert.equal(existsSync(scene.path('downloads', NAME)), false);
  assert.equal((await command('ls', 'film')).code, 3);
  assert.equal((await command('rm', ID)).code, 3);
});

test('a path is shared, and forgotten without being deleted', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.daemon();
  const command = commandIn(scene);
  const path = scene.path(HOSTILE);
  await writeFile(path, content);
  const added = await command('add', path);
  assert.deepEqual(added, { code: 0, stdout: `${ID}   1.0 MiB  shared  mine\\u{1b}[2J.bin\n`, stderr: '' });
  const removed = await command('rm', HOSTILE, '--json');
  assert.deepEqual(eventsIn(removed.stdout), [{ event: 'removed', md5: ID, name: HOSTILE, data: false }]);
  assert.ok(existsSync(path));
  const missing = await command('add', scene.path('none.bin'));
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /is no magnet link, no MD5 and no file here/);
  assert.equal((await command('rm', 'mine')).code, 3, 'only whole names count');
  await mkdir(scene.path('folder'));
  for (const name of ['a', 'b']) await writeFile(scene.path('folder', name), content);
  const folder = await command('add', scene.path('folder'));
  assert.match(folder.stdout, /^[0-9a-f]{32} {3}1\.0 MiB {2}shared {2}[ab]\n$/);
  assert.equal(folder.stderr, 'one of 2 files there: the others are shared as they are hashed\n');
  assert.equal((await command('add', 'magnet:?dn=nothing')).code, 2);
});

test('more files than one page are listed whole, in the order that was asked for', async (t) => {
  const scene = await ApiScene.start(t);
  const count = 2_010;
  for (let i = 0; i < count; i++) await writeFile(scene.path('own', `file ${i}`), String(i));
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files?limit=1')).json.total === count);
  const command = commandIn(scene);
  const names = async (...args: string[]) =>
    eventsIn((await command('ls', '--json', ...args)).stdout).map(({ name }) => name as string);
  const all = await names();
  assert.equal(new Set(all).size, count);
  assert.deepEqual(await names('--reverse', '--want', '1005'), all.toReversed().slice(0, 1_005));
  assert.deepEqual(await names('file 200', '--want', '3'), ['file 200', 'file 2000', 'file 2001']);
});

test('without a daemon every command ends with 4 and says what to type', async (t) => {
  const scene = await ApiScene.start(t);
  const command = commandIn(scene);
  for (const args of [['ls'], ['status'], ['top'], ['add', ID], ['rm', ID]]) {
    const { code, stderr } = await command(...args);
    assert.equal(code, 4, args[0]);
    assert.match(stderr, /^bugtorrent: no daemon is running .* 'bugtorrent daemon'.*--state DIR/);
  }
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  const address = { url: 'http://127.0.0.1:1', host: '127.0.0.1', port: 1, pid: gone.pid };
  await writeFile(scene.path('state', 'http.json'), JSON.stringify(address));
  const stale = await command('ls');
  assert.equal(stale.code, 4);
  assert.match(stale.stderr, new RegExp(`process ${gone.pid}\\) has ended`));
  await writeFile(scene.path('state', 'http.json'), JSON.stringify({ ...address, pid: process.pid }));
  const deaf = await command('ls');
  assert.deepEqual([deaf.code, deaf.stderr.includes('ECONNREFUSED')], [4, true]);
  await writeFile(scene.path('state', 'http.json'), 'nonsense');
  assert.equal((await command('ls')).code, 6);
  assert.equal((await command('ls', '--http', 'off')).code, 2);
});

test('what the daemon cannot share ends add with the reason, and with 6 where it may not read', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.daemon();
  const command = commandIn(scene);
  await writeFile(scene.path('large'), '');
  await truncate(scene.path('large'), 10_000_000_000);
  const large = await command('add', scene.path('large'));
  assert.equal(large.code, 2);
  assert.match(large.stderr, /large is too large: the protocol carries at most 9999999999 B/);
  const error = { code: 'NO_PERMISSION', message: '/secret: permission denied' };
  const server = createServer((_, response) => {
    response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, async () => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const closed = await runCommand(['add', '/secret', '--http', `127.0.0.1:${port}`]);
  assert.deepEqual(closed, {
    code: 6,
    stdout: '',
    stderr: 'bugtorrent: the daemon: /secret: permission denied\n',
  });
});

test('what is no daemon is not taken for one', async (t) => {
  const server = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, async () => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await runCommand(['ls', '--http', `127.0.0.1:${port}`]);
  assert.equal(code, 4);
  assert.match(stderr, /is no bugtorrent daemon/);
});

test('a daemon that wants a token is talked to with one, and a wrong one is told of', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.daemon({}, { token: TOKEN });
  const command = commandIn(scene);
  const none = await command('status');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /wants a token: give it with --http-token-file FILE or BUGTORRENT_HTTP_TOKEN/);
  const wrong = await command('status', '--http-token', `${TOKEN}-not`);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /does not know this token/);
  await writeFile(scene.path('token'), `${TOKEN}\n`);
  assert.equal((await command('status', '--http-token-file', scene.path('token'))).code, 0);
  const env = { BUGTORRENT_HTTP_TOKEN: TOKEN };
  assert.equal((await runCommand(['status', '--state', scene.path('state')], { env })).code, 0);
});

/** `top` on a terminal of its own. */
function topOnTerminal(t: TestContext, scene: ApiScene) {
  const line = `'${process.execPath}' '${MAIN}' top --state '${scene.path('state')}'`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: bareEnvironment({ TERM: 'xterm', SHELL: '/bin/sh' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number]>;
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const seen = { text: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen.text += text;
  });
  return { keys: child.stdin, seen, exited };
}

test('top fills the terminal, follows the keys, and gives the terminal back at q', async (t) => {
  if (!requireProgram(t, 'script')) return;
  const scene = await ApiScene.start(t);
  await writeFile(scene.path('own', 'one.bin'), content);
  await writeFile(scene.path('own', 'two.bin'), 'two');
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files')).json.total === 2);
  const { keys, seen, exited } = topOnTerminal(t, scene);
  await soon(() => seen.text.includes('SLOTS'));
  assert.match(seen.text, /\?1049h.*\?25l/);
  const detailOf = (text: string) => /owners: (\w+)/.exec(text.slice(text.lastIndexOf('owners:')))?.[1];
  const first = detailOf(seen.text);
  keys.write('j');
  await soon(() => detailOf(seen.text) !== first);
  keys.write('q');
  assert.equal((await exited)[0], 0);
  assert.match(seen.text, /\?25h[^?]*\?1049l$/);
});

test('top gives the terminal back when the daemon goes away, and ends as for any daemon that is not there', async (t) => {
  if (!requireProgram(t, 'script')) return;
  const scene = await ApiScene.start(t);
  const { stop } = await scene.daemon();
  const { seen, exited } = topOnTerminal(t, scene);
  await soon(() => seen.text.includes('SLOTS'));
  await stop();
  assert.equal((await exited)[0], 4);
  assert.match(seen.text, /\?1049l[\s\S]*no daemon answers/);
});
