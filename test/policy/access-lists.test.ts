import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessLists, type AccessListsInit, OPEN_ACCESS } from '../../src/policy/access-lists.js';
import { NetworkList, parseNetwork } from '../../src/policy/network-list.js';
import { fileMd5 } from '../contracts/tracker-values.js';

const NO_LISTS: AccessListsInit = {
  allowNetworks: null,
  denyNetworks: null,
  allowFiles: null,
  denyFiles: null,
};

function networks(text: string): NetworkList {
  return new NetworkList([parseNetwork(text)!]);
}

test('without lists everybody and everything is admitted', () => {
  assert.ok(OPEN_ACCESS.admitsAddress('192.0.2.1') && OPEN_ACCESS.admitsFile(fileMd5(1)));
  assert.equal(OPEN_ACCESS.restrictsAddresses, false);
  assert.equal(OPEN_ACCESS.deniedFiles?.size, 0);
});

test('an allow list leaves out all others, and denying wins over allowing', () => {
  const lists = new AccessLists({
    allowNetworks: networks('10.0.0.0/8'),
    denyNetworks: networks('10.9.0.0/16'),
    allowFiles: new Set([fileMd5(1), fileMd5(2)]),
    denyFiles: new Set([fileMd5(2)]),
  });
  assert.deepEqual(
    ['10.1.0.0', '10.9.0.1', '192.0.2.1', '127.0.0.1'].map((ip) => lists.admitsAddress(ip)),
    [true, false, false, false],
  );
  assert.deepEqual(
    [1, 2, 3].map((n) => lists.admitsFile(fileMd5(n))),
    [true, false, false],
  );
  assert.equal(lists.deniedFiles, null, 'what an allow list leaves out cannot be named');
});

test('an empty allow list admits nobody; an empty deny list denies nobody', () => {
  const none = new NetworkList([]);
  assert.ok(!new AccessLists({ ...NO_LISTS, allowNetworks: none }).admitsAddress('10.0.0.1'));
  assert.ok(new AccessLists({ ...NO_LISTS, denyNetworks: none }).admitsAddress('10.0.0.1'));
  assert.ok(!new AccessLists({ ...NO_LISTS, allowFiles: new Set() }).admitsFile(fileMd5(1)));
});

test('a deny list alone names what it leaves out', () => {
  const lists = new AccessLists({ ...NO_LISTS, denyFiles: new Set([fileMd5(7)]) });
  assert.deepEqual([...(lists.deniedFiles ?? [])], [fileMd5(7)]);
});
