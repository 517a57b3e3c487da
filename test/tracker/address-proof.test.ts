import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIpp2p } from '../../src/model/address.js';
import {
  ALL_PROVEN,
  NOTHING_PROVEN,
  provenAddress,
  provenBy,
  provenHosts,
} from '../../src/tracker/address-proof.js';
import { peerAddress } from '../contracts/tracker-values.js';

const both = peerAddress('172.16.1.2', 5000, 'fd77::2');

describe('address proof', () => {
  test('a source address proves the half that it is, and no other', () => {
    assert.equal(provenBy(both, '172.16.1.2'), 1);
    assert.equal(provenBy(both, 'fd77::2'), 2);
    assert.equal(provenBy(both, '172.16.1.3'), NOTHING_PROVEN);
    assert.equal(provenBy(peerAddress('172.16.1.2'), 'fd77::2'), NOTHING_PROVEN);
    assert.equal(provenBy(peerAddress(null, 5000, 'fd77::2'), 'fd77::2'), 2);
  });

  test('a mapped address in the second half is proven by its IPv4 source', () => {
    const twice = { v4: '172.16.1.2', v6: '::ffff:10.0.0.7', port: 5000 };
    assert.equal(provenBy(twice, '10.0.0.7'), 2);
    assert.equal(provenBy(twice, '172.16.1.2'), 1);
  });

  test('in the place of an unproven IPv6 half others see the mapped form of the IPv4 half', () => {
    assert.equal(
      formatIpp2p(provenAddress(both, 1)),
      '172.016.001.002|0000:0000:0000:0000:0000:ffff:ac10:0102',
    );
  });

  test('an unproven IPv4 half is shown as no address', () => {
    assert.equal(
      formatIpp2p(provenAddress(both, 2)),
      '000.000.000.000|fd77:0000:0000:0000:0000:0000:0000:0002',
    );
  });

  test('an address proven as far as it goes is shown as announced', () => {
    const v4 = peerAddress('172.16.1.2');
    assert.equal(provenAddress(both, ALL_PROVEN), both);
    assert.equal(provenAddress(v4, 1), v4);
    assert.equal(provenAddress(v4, ALL_PROVEN), v4);
  });

  test('only proven halves are connected to, IPv4 first', () => {
    assert.deepEqual(provenHosts(both, 1), ['172.16.1.2']);
    assert.deepEqual(provenHosts(both, 2), ['fd77::2']);
    assert.deepEqual(provenHosts(both, ALL_PROVEN), ['172.16.1.2', 'fd77::2']);
  });
});
