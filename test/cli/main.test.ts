import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsIn, runCommand } from './run-command.js';

describe('help', () => {
  test('without a command goes to stderr and is a usage error', async () => {
    const { code, stdout, stderr } = await runCommand([]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    for (const command of ['start', 'tracker', 'daemon', 'share', 'search', 'get', 'bench', 'simulate']) {
      assert.match(stderr, new RegExp(`^  ${command} `, 'm'));
    }
  });

  test('that was asked for goes to stdout and is no error', async () => {
    for (const args of [['--help'], ['help'], ['get', '--help'], ['help', 'get']]) {
      const { code, stdout, stderr } = await runCommand(args);
      assert.equal(code, 0, args.join(' '));
      assert.match(stdout, /^Usage: bugtorrent /);
      assert.equal(stderr, '');
    }
  });

  test('of a command lists its flags with their defaults, and says where else they can be set', async () => {
    const { stdout } = await runCommand(['get', '--help']);
    assert.match(stdout, /--cache <SIZE> .*\s+\(default: 64M\)/);
    assert.match(stdout, /-o, --output <PATH>/);
    assert.match(stdout, /--no-seed/);
    assert.match(stdout, /BUGTORRENT_UPLOAD_LIMIT/);
    assert.doesNotMatch(stdout, /--slots/);
  });

  test('the version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    for (const flag of ['--version', '-V']) {
      assert.deepEqual(await runCommand([flag]), { code: 0, stdout: `${version}\n`, stderr: '' });
    }
  });
});

describe('a usage error', () => {
  const refused: [args: string[], message: RegExp][] = [
    [['gte', 'x'], /unknown command 'gte' \(Did you mean get\?\); see bugtorrent --help$/],
    [
      ['get', '--cahe', '1M', 'x'],
      /unknown option '--cahe' \(Did you mean --cache\?\); see bugtorrent get --help$/,
    ],
    [['get', '--deluge', 'x'], /unknown option '--deluge'/],
    [['tracker', '--share', 'x'], /unknown option '--share'/],
    [['get'], /missing required argument 'wanted'/],
    [['get', 'a', 'b'], /too many arguments/],
    [['get', 'x', '--cache'], /option '--cache <SIZE>' argument missing/],
    [['get', 'x', '--cache', 'much'], /--cache: 'much' is not valid; expected a size/],
    [['get', 'x', '--tracker', '3000'], /--tracker: '3000' is not valid/],
    [['get', 'magnet:?xt=urn:btih:1'], /no magnet link/],
    [['get', 'x', '-o', '-', '--json'], /'-o -' and --json both want stdout/],
    [['get', 'x', '--no-seed', '--seed-ratio', '1'], /--seed-ratio and --no-seed contradict each other/],
    [['tracker', '--store', 'redis://a,b'], /--store: 'redis:\/\/a,b' is not valid; expected 'lmdb:DIR'/],
    [['daemon'], /nothing to share: give --share/],
    [['start'], /nothing to share: give --share/],
    [['verify', 'file'], /missing required argument 'md5'/],
    [['bench', 'nothing'], /Allowed choices are hash, transfer/],
    [['simulate', 'weather'], /Allowed choices are swarm/],
    [
      ['simulate', 'swarm', '--free-riders', '2'],
      /--free-riders: '2' is not valid; expected a number from 0 to 1/,
    ],
  ];
  for (const [args, message] of refused) {
    test(`is ${args.join(' ')}: one line on stderr, exit code 2`, async () => {
      const { code, stderr } = await runCommand(args);
      assert.equal(code, 2);
      assert.match(stderr.trimEnd(), message);
      assert.match(stderr, /^bugtorrent: [^\n]*\n$/);
    });
  }

  test('is an object on stdout too with --json', async () => {
    for (const args of [
      ['search', '--json', '--no-such-flag', 'x'],
      ['get', '--json', 'x', '--cache', 'much'],
    ]) {
      const { code, stdout, stderr } = await runCommand(args);
      assert.equal(code, 2);
      const events = eventsIn(stdout);
      assert.equal(events.length, 1);
      assert.equal(events[0]!.event, 'error');
      assert.equal(events[0]!.code, 2);
      assert.ok(stderr.includes(String(events[0]!.message)));
    }
  });

  test('shows the control characters of a word by their numbers', async () => {
    const { stderr } = await runCommand(['get', 'magnet:\u001b[2J\u202e']);
    assert.match(stderr, /magnet:\\u\{1b\}\[2J\\u\{202e\}/);
    assert.doesNotMatch(stderr, /[\u001b\u202e]/);
  });
});

describe('settings from elsewhere', () => {
  test('a flag wins over the environment, that over the config file', async (t) => {
    const path = join(await tempFolder(t), 'x.toml');
    await writeFile(path, 'cache = "in the file"\n');
    const env = { BUGTORRENT_CONFIG: path };
    const complaint = async (args: string[], more: NodeJS.ProcessEnv) =>
      (await runCommand(['get', 'x', ...args], { env: { ...env, ...more } })).stderr;
    assert.match(await complaint([], {}), new RegExp(`cache in ${path}: 'in the file'`));
    const fromEnvironment = { BUGTORRENT_CACHE: 'in the environment' };
    assert.match(await complaint([], fromEnvironment), /BUGTORRENT_CACHE: 'in the environment'/);
    assert.match(await complaint(['--cache', 'in the flag'], fromEnvironment), /--cache: 'in the flag'/);
  });

  test('--config wins over BUGTORRENT_CONFIG', async (t) => {
    const path = join(await tempFolder(t), 'x.toml');
    await writeFile(path, 'nonsense = 1\n');
    const { code, stderr } = await runCommand(['get', 'x', '--config', path], {
      env: { BUGTORRENT_CONFIG: '/none' },
    });
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^bugtorrent: ${path}: unknown key 'nonsense'`));
  });

  test('a config file that is missing is an error of the disk', async () => {
    const { code, stderr } = await runCommand(['get', 'x', '--config', '/no/such.toml']);
    assert.equal(code, 6);
    assert.match(stderr, /\/no\/such\.toml/);
  });

  test('an unknown variable is warned about and ignored', async () => {
    const { code, stderr } = await runCommand(['get', 'x', '--cache', 'much'], {
      env: { BUGTORRENT_CASHE: '1' },
    });
    assert.equal(code, 2);
    const [warning, error] = stderr.split('\n');
    assert.equal(warning, 'bugtorrent: warning: BUGTORRENT_CASHE is not a setting and is ignored');
    assert.match(error!, /--cache/);
  });
});

describe('a failure', () => {
  test('has no stack, unless BUGTORRENT_DEBUG asks for it', async () => {
    const args = ['search', 'x', '--tracker', '1.2.3'];
    assert.doesNotMatch((await runCommand(args)).stderr, /^\s+at /m);
    assert.match((await runCommand(args, { env: { BUGTORRENT_DEBUG: '1' } })).stderr, /^\s+at /m);
  });
});
