import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  count,
  limit,
  listenAddress,
  oneOf,
  parseAnnounced,
  parseSize,
  parseTime,
  path,
  rate,
  ratio,
  remoteAddress,
  size,
} from '../../src/daemon/setting-kinds.js';

describe('sizes and rates', () => {
  test('K, M, G and T are powers of 1024, whole or not, in either case, with or without B or iB', () => {
    const expected = { '0': 0, '1000': 1000, '64M': 67_108_864, '1.5G': 1_610_612_736, '10k': 10_240 };
    for (const [text, bytes] of Object.entries(expected)) assert.equal(parseSize(text), bytes, text);
    for (const text of ['2M', '2m', '2MB', '2MiB', '2mib', ' 2M '])
      assert.equal(parseSize(text), 2_097_152, text);
    assert.equal(parseSize('512B'), 512);
    assert.equal(parseSize('1T'), 2 ** 40);
  });

  test('what is no size is refused, also a size beyond exact numbers', () => {
    for (const text of [
      '',
      'M',
      '-1',
      '+1',
      '1e3',
      '0x10',
      '1,5G',
      '1.G',
      '.5G',
      '1 M',
      '1P',
      'Infinity',
      '9000000T',
    ]) {
      assert.equal(parseSize(text), null, text);
    }
  });

  test('a size is read as it was written, whatever it is', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 30), fc.constantFrom('K', 'M'), (n, unit) => {
        assert.equal(parseSize(`${n}${unit}`), n * (unit === 'K' ? 1024 : 1_048_576));
      }),
    );
  });

  test('a size setting is above 0, a rate at least 1K, and a rate may say "per second"', () => {
    assert.equal(size.parse('0', 'get'), null);
    assert.equal(rate.parse('10M/s', 'get'), 10_485_760);
    assert.equal(rate.parse('10MiB/s', 'get'), 10_485_760);
    assert.equal(rate.parse('1K', 'get'), 1024);
    for (const text of ['0', '1023', '10M/h', 'fast']) assert.equal(rate.parse(text, 'get'), null, text);
  });
});

test('times are seconds unless they say otherwise', () => {
  const expected = {
    '0': 0,
    '90': 90_000,
    '90s': 90_000,
    '10m': 600_000,
    '1.5h': 5_400_000,
    '2D': 172_800_000,
  };
  for (const [text, ms] of Object.entries(expected)) assert.equal(parseTime(text), ms, text);
  for (const text of ['', 's', '-1s', '1w', '1:30', '1e3']) assert.equal(parseTime(text), null, text);
});

test('a count is a whole number within its bounds', () => {
  const kind = count(10);
  assert.equal(kind.parse('1', 'bench'), 1);
  assert.equal(kind.parse('10', 'bench'), 10);
  for (const text of ['0', '11', '1.5', '-1', 'two', '', '1e1'])
    assert.equal(kind.parse(text, 'bench'), null, text);
});

test('a ratio is a number that is not negative', () => {
  assert.equal(ratio.parse('0', 'get'), 0);
  assert.equal(ratio.parse('1.5', 'get'), 1.5);
  for (const text of ['-1', 'NaN', 'Infinity', '1e3', '']) assert.equal(ratio.parse(text, 'get'), null, text);
});

test('a path is neither empty nor has it a zero byte', () => {
  assert.equal(path.parse(' a ', 'get'), ' a ');
  assert.equal(path.parse('', 'get'), null);
  assert.equal(path.parse('a\0b', 'get'), null);
});

test('one of some words is one of them exactly', () => {
  const kind = oneOf('STORE', ['memory:']);
  assert.equal(kind.parse('memory:', 'tracker'), 'memory:');
  assert.equal(kind.parse('redis://x', 'tracker'), null);
});

describe('an announced address', () => {
  test('has both halves or one of them, with or without the bar', () => {
    const both = { v4: '192.0.2.7', v6: '2001:db8::7' };
    assert.deepEqual(parseAnnounced('192.0.2.7|2001:db8::7'), both);
    assert.deepEqual(parseAnnounced(' 192.0.2.7 | 2001:DB8:0::7 '), both);
    for (const text of ['192.0.2.7', '192.0.2.7|', '|192.0.2.7', '::ffff:192.0.2.7']) {
      assert.deepEqual(parseAnnounced(text), { v4: '192.0.2.7', v6: null }, text);
    }
    for (const text of ['2001:db8::7', '|2001:db8::7']) {
      assert.deepEqual(parseAnnounced(text), { v4: null, v6: '2001:db8::7' }, text);
    }
  });

  test('is refused when a half is no address, is twice there or is no address to reach anyone at', () => {
    const wrong = [
      '',
      '|',
      'host',
      '1.2.3',
      '1.2.3.4|1.2.3.5',
      '::1|::2',
      '1.2.3.4|::1|',
      '0.0.0.0',
      '::',
      'fe80::1%eth0',
    ];
    for (const text of wrong) assert.equal(parseAnnounced(text), null, text);
  });
});

describe('addresses', () => {
  test('to listen on take the default port of the command, and every address when none is named', () => {
    const kind = listenAddress((command) => (command === 'tracker' ? 3000 : 0));
    assert.deepEqual(kind.parse('127.0.0.2', 'tracker'), { host: '127.0.0.2', port: 3000 });
    assert.deepEqual(kind.parse('127.0.0.2', 'get'), { host: '127.0.0.2', port: 0 });
    assert.deepEqual(kind.parse('[::1]:7', 'get'), { host: '::1', port: 7 });
    assert.deepEqual(kind.parse(':7', 'get'), { host: '::', port: 7 });
    for (const text of ['', '7', '1.2.3.4:65536', '1.2.3.4:x'])
      assert.equal(kind.parse(text, 'get'), null, text);
  });

  test('to connect to are of this machine when no host is named, and never have port 0', () => {
    const kind = remoteAddress(3000);
    assert.deepEqual(kind.parse('tracker.example', 'get'), { host: 'tracker.example', port: 3000 });
    assert.deepEqual(kind.parse(':7', 'get'), { host: '127.0.0.1', port: 7 });
    assert.equal(kind.parse('1.2.3.4:0', 'get'), null);
  });
});

test('a limit is a number or off', () => {
  const kind = limit(10);
  assert.equal(kind.parse('7', ''), 7);
  assert.equal(kind.parse('OFF ', ''), Number.POSITIVE_INFINITY);
  for (const text of ['', '0', '11', 'none', '-1']) assert.equal(kind.parse(text, ''), null, text);
  assert.equal(kind.expects, 'a whole number from 1 to 10, or off');
});
