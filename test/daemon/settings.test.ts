import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSettings } from '../../src/daemon/resolve-settings.js';
import { type CommandName, environmentName, SETTINGS, settingNames } from '../../src/daemon/settings.js';

const COMMANDS: readonly CommandName[] = [
  'start',
  'tracker',
  'daemon',
  'share',
  'search',
  'get',
  'verify',
  'bench',
  'simulate',
];

test('every setting belongs to some command, and its name makes a flag, a key and a variable of its own', () => {
  const names = Object.keys(SETTINGS);
  const used = new Set<string>(COMMANDS.flatMap((command) => settingNames(command)));
  for (const name of names) {
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(used.has(name), `no command has ${name}`);
  }
  assert.equal(new Set(names.map(environmentName)).size, names.length);
  assert.equal(environmentName('upload-limit'), 'BUGTORRENT_UPLOAD_LIMIT');
});

test('every default of every command is a valid value', () => {
  for (const command of COMMANDS) resolveSettings(command, []);
});

test('the defaults are those of the design', () => {
  const { settings: tracker } = resolveSettings('tracker', []);
  assert.deepEqual(tracker.listen, { host: '::', port: 3000 });
  assert.equal(tracker['trust-announced-addresses'], false);
  const { settings: daemon } = resolveSettings('daemon', []);
  assert.deepEqual(daemon.listen, { host: '::', port: 5000 });
  assert.deepEqual(daemon.tracker, [{ host: '127.0.0.1', port: 3000 }]);
  assert.equal(daemon.cache, 256 * 2 ** 20);
  assert.equal(daemon['upload-limit'], null);
  assert.deepEqual([daemon.slots, daemon['seed-choking']], [4, 'round-robin']);
  const { settings: get } = resolveSettings('get', []);
  assert.deepEqual(get.listen, { host: '::', port: 0 });
  assert.equal(get.cache, 64 * 2 ** 20);
  assert.equal(get.output, null);
  assert.equal(get['no-seed'], false);
  assert.deepEqual(resolveSettings('start', []).settings.tracker, []);
  assert.equal(resolveSettings('bench', []).settings.seeds, 1);
});

test('a command has the flags of the design and no others', () => {
  const common = ['tracker', 'listen', 'share', 'downloads', 'state', 'announce', 'slots'];
  const daemon = [
    ...common,
    'seed-choking',
    'upload-limit',
    'download-limit',
    'cache',
    'leave-when-safe',
    'recheck',
  ];
  const expected: Record<CommandName, string[]> = {
    start: [...daemon, 'tracker-listen', 'neighbour', 'store', 'demo'],
    tracker: ['listen', 'trust-announced-addresses', 'neighbour', 'store', 'state', 'announce'],
    daemon,
    share: [...daemon, 'json'],
    search: ['tracker', 'listen', 'state', 'announce', 'want', 'flood', 'json'],
    get: [
      ...[
        'tracker',
        'listen',
        'state',
        'flood',
        'announce',
        'upload-limit',
        'download-limit',
        'cache',
        'output',
        'force',
      ],
      ...['sequential', 'accept-unverified', 'no-seed', 'seed-ratio', 'seed-time', 'json', 'quiet'],
    ],
    verify: ['state', 'json', 'quiet'],
    bench: ['size', 'seeds', 'runs', 'no-verify', 'json'],
    simulate: [
      ...[
        'peers',
        'parts',
        'seeds',
        'seed-rate',
        'peer-upload',
        'peer-download',
        'part-time',
        'slots',
        'leave',
      ],
      ...[
        'free-riders',
        'arrivals',
        'neighbours',
        'fchu-lag',
        'round-trip',
        'picker',
        'choker',
        'seed-choking',
      ],
      ...['nodes', 'degree', 'maximum-ttl', 'replication', 'want', 'queries', 'filters', 'jitter'],
      ...['seed', 'runs', 'svg', 'json'],
    ],
  };
  for (const command of COMMANDS) {
    assert.deepEqual([...settingNames(command)].sort(), [...expected[command]].sort(), command);
  }
});
