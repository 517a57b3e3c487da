import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSettings } from '../../src/daemon/resolve-settings.js';
import {
  COMMAND_NAMES,
  type CommandName,
  environmentName,
  SETTINGS,
  settingNames,
} from '../../src/daemon/settings.js';

test('every setting belongs to some command, and its name makes a flag, a key and a variable of its own', () => {
  const names = Object.keys(SETTINGS);
  const used = new Set<string>(COMMAND_NAMES.flatMap((command) => settingNames(command)));
  for (const name of names) {
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(used.has(name), `no command has ${name}`);
  }
  assert.equal(new Set(names.map(environmentName)).size, names.length);
  assert.equal(environmentName('upload-limit'), 'BUGTORRENT_UPLOAD_LIMIT');
});

test('every default of every command is a valid value', () => {
  for (const command of COMMAND_NAMES) resolveSettings(command, []);
});

test('the defaults are those of the design', () => {
  const { settings: tracker } = resolveSettings('tracker', []);
  assert.deepEqual(tracker.listen, { host: '::', port: 3000 });
  assert.equal(tracker['trust-announced-addresses'], false);
  assert.equal(tracker['request-limit'], 20_000);
  assert.equal(tracker['limit-loopback'], false);
  const { settings: daemon } = resolveSettings('daemon', []);
  assert.deepEqual(daemon.listen, { host: '::', port: 5000 });
  assert.deepEqual(daemon.tracker, [{ host: '127.0.0.1', port: 3000 }]);
  assert.deepEqual(daemon.http, { host: '127.0.0.1', port: 5080 });
  assert.equal(tracker.http, null);
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
    'active-downloads',
    'seed-choking',
    'upload-limit',
    'download-limit',
    'cache',
    'leave-when-safe',
    'recheck',
  ];
  const access = [
    ...['request-limit', 'connection-limit', 'session-limit', 'file-limit', 'limit-loopback'],
    ...['allow-networks', 'deny-networks', 'allow-files', 'deny-files'],
  ];
  const http = ['http', 'http-token', 'http-token-file'];
  const client = ['state', ...http];
  const tracker = ['store', 'store-interval', ...access, ...http];
  const expected: Record<CommandName, string[]> = {
    start: [...daemon, ...tracker, 'metrics-files', 'tracker-listen', 'neighbour', 'demo'],
    tracker: [
      ...tracker,
      ...['listen', 'trust-announced-addresses', 'processes', 'neighbour', 'state', 'announce'],
    ],
    daemon: [...daemon, ...http, 'metrics-files', 'neighbour'],
    share: [...daemon, 'json'],
    search: ['tracker', 'listen', 'state', 'announce', 'want', 'flood', 'json'],
    top: client,
    status: [...client, 'json'],
    ls: [...client, 'state-filter', 'sort', 'reverse', 'want', 'json'],
    add: [...client, 'json'],
    rm: [...client, 'data', 'yes', 'json'],
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
    doctor: ['tracker', 'listen', 'share', 'downloads', 'state', 'announce', 'json'],
    verify: ['state', 'json', 'quiet'],
    bench: [
      ...['tracker', 'size', 'seeds', 'runs', 'pid', 'load', 'files', 'connections', 'threads', 'window'],
      ...['duration', 'request-rate', 'no-verify', 'peers', 'parts', 'json'],
    ],
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
  for (const command of COMMAND_NAMES) {
    assert.deepEqual([...settingNames(command)].sort(), [...expected[command]].sort(), command);
  }
});
