import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { type Network, NetworkList, parseNetwork } from '../../src/policy/network-list.js';
import { SEEDED } from '../support/arbitraries.js';

function listOf(...texts: string[]): NetworkList {
  return new NetworkList(
    texts.map((text): Network => {
      const network = parseNetwork(text);
      assert.ok(network !== null, text);
      return network;
    }),
  );
}

test('an address is in a network when it has the same first bits', () => {
  const list = listOf('192.0.2.0/24', '10.0.0.0/9', '2001:db8::/33', '198.51.100.7');
  for (const ip of ['192.0.2.0', '192.0.2.255', '10.127.255.255', '2001:db8:7fff::1', '198.51.100.7']) {
    assert.ok(list.has(ip), ip);
  }
  for (const ip of ['192.0.3.0', '10.128.0.0', '2001:db8:8000::', '198.51.100.6', '::', '']) {
    assert.ok(!list.has(ip), ip);
  }
});

test('/0 is a whole family', () => {
  const all4 = listOf('0.0.0.0/0');
  assert.ok(all4.has('203.0.113.9') && !all4.has('2001:db8::1'));
  const all6 = listOf('::/0');
  assert.ok(all6.has('2001:db8::1') && !all6.has('203.0.113.9'));
});

test('the IPv4-mapped form is the IPv4 address, in lists and in questions', () => {
  assert.ok(listOf('192.0.2.0/24').has('::ffff:192.0.2.9'));
  const mapped = listOf('::ffff:192.0.2.0/120');
  assert.ok(mapped.has('192.0.2.9') && !mapped.has('192.0.3.9'));
  assert.equal(parseNetwork('::ffff:192.0.2.0/95'), null);
});

test('what is no network is null, and so is one that may mean a host or a network', () => {
  const texts = [
    '',
    'example.org',
    '192.0.2',
    '192.0.2.0/',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/24/1',
    '192.0.2.1/24',
    '010.0.0.0/8',
    '2001:db8::1/64',
    '2001:db8::/129',
    'fe80::1%eth0',
    '192.0.2.0 /24',
  ];
  for (const text of texts) assert.equal(parseNetwork(text), null, text);
});

test('it says the same as a look at each network', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  // Few different bytes, so that networks overlap.
  const address = bytes.map((each) => ipaddr.fromByteArray([...each].map((byte) => byte & 0xc1)));
  const network = fc.tuple(address, fc.nat(128)).map(([ip, bits]) => {
    const prefix = Math.min(bits, ip.kind() === 'ipv4' ? 32 : 128);
    const family = ip.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
    return `${family.networkAddressFromCIDR(`${ip}/${prefix}`)}/${prefix}`;
  });
  fc.assert(
    fc.property(fc.array(network, { maxLength: 20 }), address, (networks, ip) => {
      const inOne = networks.some((each) => {
        const [base, bits] = ipaddr.parseCIDR(each);
        return base.kind() === ip.kind() && ip.match(base, bits);
      });
      assert.equal(listOf(...networks).has(ip.toString()), inOne);
    }),
    SEEDED,
  );
});
