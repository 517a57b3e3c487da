import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressScope } from '../../src/model/address-scope.js';

test('an address is of one scope, and what no single node has of none', () => {
  const scopes = {
    '127.8.0.1': 'loopback',
    '::1': 'loopback',
    '169.254.3.4': 'link-local',
    'fe80::1': 'link-local',
    '10.1.2.3': 'private',
    '172.16.0.1': 'private',
    '192.168.0.1': 'private',
    '100.64.0.1': 'private',
    'fd12::1': 'private',
    '8.8.8.8': 'global',
    '2600::1': 'global',
    '224.0.0.1': null,
    'ff02::1': null,
    '0.0.0.0': null,
    '::': null,
    '255.255.255.255': null,
    '2002:a00:1::': null,
    'example.org': null,
  };
  for (const [ip, scope] of Object.entries(scopes)) assert.equal(addressScope(ip), scope, ip);
});
