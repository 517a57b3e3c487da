import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeTracker } from '../support/fake-tracker.js';
import { tempFolder } from '../support/files.js';
import { eventsIn, runCommand } from './run-command.js';

const MD5 = { one: '1'.repeat(32), two: '2'.repeat(32), odd: '3'.repeat(32) };

async function trackerOfFilms(t: TestContext): Promise<string> {
  const tracker = await new FakeTracker().start();
  t.after(() => tracker.stop());
  const owner = (port: number) => ({ v4: '127.0.0.9', port, parts: [0] });
  const file = { fileSize: 3_000_000, partSize: 262_144 };
  tracker.publish({ ...file, md5: MD5.one, name: 'film one.mkv', owners: [owner(1)] });
  tracker.publish({ ...file, md5: MD5.two, name: 'film two.mkv', owners: [owner(1), owner(2)] });
  tracker.publish({ ...file, md5: MD5.odd, name: 'odd\u202e\u001b[2J' });
  return `127.0.0.1:${tracker.port}`;
}

test('search lists what it finds, the file with the most owners first', async (t) => {
  const tracker = await trackerOfFilms(t);
  const { code, stdout, stderr } = await runCommand(['search', 'film', '--tracker', tracker]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(
    stdout,
    `${MD5.two}   2.9 MiB  2 owners   film two.mkv\n${MD5.one}   2.9 MiB  1 owner    film one.mkv\n`,
  );
});

test('with --json every file is an object of its own, and --want bounds their number', async (t) => {
  const tracker = await trackerOfFilms(t);
  const { stdout } = await runCommand(['search', 'film', '--json', '--want', '1', '--tracker', tracker]);
  const file = { md5: MD5.two, name: 'film two.mkv', size: 3_000_000, partSize: 262_144, owners: 2 };
  assert.deepEqual(eventsIn(stdout), [{ event: 'result', ...file, tracker }]);
});

test('a name that would move the cursor or turn the text around is shown by numbers', async (t) => {
  const tracker = await trackerOfFilms(t);
  const { stdout } = await runCommand(['search', 'odd', '--tracker', tracker]);
  assert.ok(stdout.endsWith('odd\\u{202e}\\u{1b}[2J\n'), stdout);
  const { stdout: json } = await runCommand(['search', 'odd', '--json', '--tracker', tracker]);
  assert.doesNotMatch(json, /[\u001b\u202e]/);
  assert.equal(eventsIn(json)[0]!.name, 'odd\u202e\u001b[2J');
});

test('nothing found is exit code 3, said on stderr and with --json as an object too', async (t) => {
  const tracker = await trackerOfFilms(t);
  const { code, stdout, stderr } = await runCommand(['search', 'book', '--json', '--tracker', tracker]);
  assert.equal(code, 3);
  assert.equal(stderr, "bugtorrent: no file matches 'book'\n");
  assert.deepEqual(eventsIn(stdout), [{ event: 'error', code: 3, message: "no file matches 'book'" }]);
});

test('with --flood a tracker that takes no part is asked all the same, and that no answers came is said', async (t) => {
  const tracker = await trackerOfFilms(t);
  const state = await tempFolder(t);
  const where = ['--tracker', tracker, '--listen', '127.0.0.1:0', '--state', state];
  const { code, stdout, stderr } = await runCommand(['search', 'film', '--flood', ...where]);
  assert.equal(code, 0);
  const lines = stdout.split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines.slice(0, 2))
    assert.match(line, /^ {2}[12]\) {2}[12]{32} .* owners? +film (one|two)\.mkv {2}\(127\.0\.0\.1:\d+\)$/);
  assert.match(stderr, /no tracker reached 127\.0\.0\.1:\d+.*--listen.*--announce/);
});
