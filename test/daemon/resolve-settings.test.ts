import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../../src/core/errors.js';
import { environmentSource, resolveSettings, type Source } from '../../src/daemon/resolve-settings.js';

const flags = (values: Source['values']): Source => ({ values, place: (name) => `--${name}` });
const environment = (env: NodeJS.ProcessEnv): Source => environmentSource(env).source;
const file = (values: Source['values']): Source => ({ values, place: (name) => `${name} in x.toml` });

describe('precedence', () => {
  const all = [flags({ cache: '10M' }), environment({ BUGTORRENT_CACHE: '20M' }), file({ cache: '30M' })];

  test('a flag wins over the environment, that over the file, that over the default', () => {
    const cacheOf = (sources: Source[]) => resolveSettings('get', sources).settings.cache / 2 ** 20;
    assert.equal(cacheOf(all), 10);
    assert.equal(cacheOf(all.slice(1)), 20);
    assert.equal(cacheOf(all.slice(2)), 30);
    assert.equal(cacheOf([]), 64);
  });

  test('where a setting was given is known by the name it has there', () => {
    const places = [0, 1, 2, 3].map((from) => resolveSettings('get', all.slice(from)).givenBy('cache'));
    assert.deepEqual(places, ['--cache', 'BUGTORRENT_CACHE', 'cache in x.toml', null]);
  });

  test('a list is taken from the strongest source as a whole, and replaces the default', () => {
    const sources = [flags({ tracker: ['a:1'] }), file({ tracker: ['b:1', 'c:1'] })];
    assert.deepEqual(resolveSettings('get', sources).settings.tracker, [{ host: 'a', port: 1 }]);
  });

  test('a switch that a weaker source turns on can be turned off by the environment', () => {
    const sources = [environment({ BUGTORRENT_JSON: 'no' }), file({ json: true })];
    assert.equal(resolveSettings('get', sources).settings.json, false);
  });

  test('what another command understands is passed over', () => {
    const { settings } = resolveSettings('search', [file({ slots: 'nonsense', want: '3' })]);
    assert.equal(settings.want, 3);
    assert.ok(!('slots' in settings));
  });
});

describe('the environment', () => {
  test('separates a list by commas', () => {
    const { settings } = resolveSettings('daemon', [environment({ BUGTORRENT_SHARE: '/a, /b c,' })]);
    assert.deepEqual(settings.share, ['/a', '/b c']);
  });

  test('counts an empty variable as not set', () => {
    assert.equal(resolveSettings('get', [environment({ BUGTORRENT_CACHE: '' })]).givenBy('cache'), null);
  });

  test('names the variables that are no setting, but not its own and not those of others', () => {
    const env = {
      ...{ BUGTORRENT_UPLOADLIMIT: '1M', BUGTORRENT_CACHE: '1M', PATH: '/bin' },
      ...{ BUGTORRENT_CONFIG: 'x.toml', BUGTORRENT_DEBUG: '1', BUGTORRENT_STATS: 'x.json' },
    };
    assert.deepEqual(environmentSource(env).unknown, ['BUGTORRENT_UPLOADLIMIT']);
  });
});

describe('a value that cannot be read', () => {
  const refusal = (sources: Source[]) => {
    try {
      resolveSettings('get', sources);
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.message;
    }
    return assert.fail('it was accepted');
  };

  test('is a usage error that names its place, the value and what was expected', () => {
    assert.equal(
      refusal([flags({ cache: 'much' })]),
      "--cache: 'much' is not valid; expected a size from 8M to 4G, such as 64M",
    );
    assert.match(refusal([environment({ BUGTORRENT_SEED_TIME: 'long' })]), /^BUGTORRENT_SEED_TIME: 'long'/);
    assert.match(refusal([file({ tracker: ['ok:1', '99'] })]), /^tracker in x\.toml: '99'/);
    assert.match(
      refusal([environment({ BUGTORRENT_FORCE: 'maybe' })]),
      /^BUGTORRENT_FORCE: 'maybe' .* yes or no$/,
    );
  });

  test('of a stronger source is not replaced by a good one of a weaker source', () => {
    assert.match(refusal([flags({ cache: 'x' }), file({ cache: '1M' })]), /^--cache/);
  });
});
