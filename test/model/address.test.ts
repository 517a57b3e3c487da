import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressKey,
  canonicalIp,
  formatHostPort,
  formatIpp2p,
  hosts,
  isLoopback,
  isNoHost,
  networkOf,
  parseHostPort,
  parseIpp2p,
  sameHost,
} from '../../src/model/address.js';
import { addresses, anyText, SEEDED } from '../support/arbitraries.js';

const NO_V6 = '0000:0000:0000:0000:0000:0000:0000:0000';
const MAPPED = '0000:0000:0000:0000:0000:ffff:0a00:0007';

test('an IPP2P comes back as it was formatted', () => {
  fc.assert(
    fc.property(addresses, ({ v4, v6, port }) => {
      const wire = formatIpp2p({ v4, v6 });
      assert.equal(wire.length, 55);
      assert.deepEqual(parseIpp2p(wire), { v4, v6 });
      assert.equal(addressKey({ v4, v6, port }), wire + String(port).padStart(5, '0'));
    }),
    SEEDED,
  );
});

test('octets are decimal, never octal', () => {
  assert.deepEqual(parseIpp2p(`010.000.000.007|${MAPPED}`), { v4: '10.0.0.7', v6: null });
});

test('a half of zeros is absent', () => {
  assert.deepEqual(parseIpp2p(`010.000.000.007|${NO_V6}`), { v4: '10.0.0.7', v6: null });
  assert.deepEqual(parseIpp2p('000.000.000.000|fd77:0000:0000:0000:0000:0000:0000:0002'), {
    v4: null,
    v6: 'fd77::2',
  });
  assert.deepEqual(parseIpp2p(`000.000.000.000|${NO_V6}`), { v4: null, v6: null });
  assert.equal(formatIpp2p({ v4: null, v6: null }), `000.000.000.000|${NO_V6}`);
});

test('a mapped IPv6 half alone is the IPv4 address', () => {
  assert.deepEqual(parseIpp2p(`000.000.000.000|${MAPPED}`), { v4: '10.0.0.7', v6: null });
});

test('a mapped IPv6 half that differs from the IPv4 half is a second host', () => {
  const halves = parseIpp2p(`010.000.000.008|${MAPPED}`);
  assert.ok(halves);
  assert.deepEqual(hosts(halves), ['10.0.0.8', '10.0.0.7']);
  assert.equal(formatIpp2p(halves), `010.000.000.008|${MAPPED}`);
});

test('bytes that break the form are null', () => {
  for (const text of [
    '',
    `10.0.0.7|${MAPPED}`,
    `256.000.000.007|${MAPPED}`,
    `010,000.000.007|${MAPPED}`,
    `010.000.000.007/${MAPPED}`,
    `010.000.000.007|${MAPPED} `,
    `010.000.000.0x7|${MAPPED}`,
    `+10.000.000.007|${MAPPED}`,
    '010.000.000.007|000g:0000:0000:0000:0000:ffff:0a00:0007',
    '010.000.000.007|0000-0000:0000:0000:0000:ffff:0a00:0007',
    '010.000.000.007|::ffff:10.0.0.7                        ',
  ]) {
    assert.equal(parseIpp2p(text), null, text);
  }
});

test('any text of 55 characters is an address or null', () => {
  const units = fc.constantFrom(...'0129af.:|gF -');
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: units, minLength: 55, maxLength: 55 }), anyText), (text) => {
      const halves = parseIpp2p(text);
      if (halves !== null) assert.deepEqual(parseIpp2p(formatIpp2p(halves)), halves);
    }),
    SEEDED,
  );
});

test('one spelling stands for each address', () => {
  for (const [text, canonical] of [
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::FFFF:10.0.0.7', '10.0.0.7'],
    ['::ffff:a00:7', '10.0.0.7'],
    ['0:0:0:0:0:ffff:0a00:0007', '10.0.0.7'],
    ['FD77:0:0::2', 'fd77::2'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    // The obsolete compatible form is not the mapped form.
    ['::10.0.0.7', '::a00:7'],
    ['tracker.example', 'tracker.example'],
    ['::ffff:10.0.0.777', '::ffff:10.0.0.777'],
    ['', ''],
  ] as const) {
    assert.equal(canonicalIp(text), canonical);
  }
});

test('canonical spelling is stable and any text passes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), fc.ipV4(), anyText), (text) => {
      assert.equal(canonicalIp(canonicalIp(text)), canonicalIp(text));
    }),
    SEEDED,
  );
});

test('the same host is recognised in each half and however it is spelt', () => {
  const address = { v4: '10.0.0.7', v6: 'fd77::2' };
  assert.deepEqual(hosts(address), ['10.0.0.7', 'fd77::2']);
  assert.ok(sameHost(address, '::ffff:10.0.0.7'));
  assert.ok(sameHost(address, 'FD77:0::2'));
  assert.ok(!sameHost(address, '10.0.0.8'));
  assert.deepEqual(hosts({ v4: null, v6: null }), []);
});

test('a host and port are read in every usual form', () => {
  for (const [text, host, port] of [
    ['1.2.3.4:5', '1.2.3.4', 5],
    ['1.2.3.4', '1.2.3.4', 3000],
    ['[::1]:5', '::1', 5],
    ['[::1]', '::1', 3000],
    ['::1', '::1', 3000],
    ['fe80::1%eth0', 'fe80::1%eth0', 3000],
    ['name:5', 'name', 5],
    ['tracker.example.org', 'tracker.example.org', 3000],
    ['127.0.0.1:0', '127.0.0.1', 0],
    [':5', '', 5],
  ] as const) {
    assert.deepEqual(parseHostPort(text, 3000), { host, port }, text);
  }
});

test('text that is no host and port is null', () => {
  for (const text of [
    '',
    '5',
    '5000',
    ':',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256:5',
    '010.0.0.7:5',
    'a:70000',
    'a:-1',
    'a:5x',
    'a b:5',
    '[a]:5',
    '[::1',
    '::1]:5',
    'a:b:c',
    '-a:5',
    'a/b:5',
    '1.2.3.4:5:6',
  ]) {
    assert.equal(parseHostPort(text, 3000), null, text);
  }
});

test('what is read as a host and port comes back as it was formatted', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), anyText), fc.nat(65_535), (host, port) => {
      const parsed = parseHostPort(formatHostPort(host, port), 1);
      if (parsed !== null) {
        assert.deepEqual(parseHostPort(formatHostPort(parsed.host, parsed.port), 1), parsed);
      }
      parseHostPort(host, port);
    }),
    SEEDED,
  );
});

test('an IPv6 host is known by its /64, an IPv4 one by its address', () => {
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:db8:1:2::9'));
  assert.notEqual(networkOf('2001:db8:1:2::9'), networkOf('2001:db8:1:3::9'));
  assert.equal(networkOf('::ffff:10.0.0.7'), '10.0.0.7');
});

test('a multicast, broadcast or unspecified address is no host', () => {
  for (const ip of ['224.0.0.1', '239.255.255.255', '255.255.255.255', '0.0.0.0', '0.1.2.3', 'ff02::1', '::'])
    assert.ok(isNoHost(ip), ip);
  for (const ip of ['223.255.255.255', '127.0.0.1', '192.0.2.1', '240.0.0.1', 'fe80::1', '::1', 'ff::1'])
    assert.ok(!isNoHost(ip), ip);
});

test('loopback is all of 127.0.0.0/8, and ::1', () => {
  for (const ip of ['127.0.0.1', '127.255.255.254', '::1']) assert.ok(isLoopback(ip), ip);
  for (const ip of ['128.0.0.1', '12.7.0.1', '::2', '::127.0.0.1']) assert.ok(!isLoopback(ip), ip);
});
