import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressOfPeer,
  md5OfFile,
  nameOfFile,
  partsOfPeer,
  SERIES,
  searchFor,
  swarmedFiles,
} from '../../../bench/tracker-load/population.js';
import { addressKey } from '../../../src/model/address.js';
import { parseFileQuery } from '../../../src/model/file-query.js';
import { FileIndex } from '../../../src/tracker/file-index.js';

test('each search of a load finds the files of its series and no others', () => {
  const index = new FileIndex<number>();
  for (let file = 0; file < 20_000; file += 1) index.set(md5OfFile(file), nameOfFile(file), file);
  for (let series = 0; series < 1_000; series += 1) {
    const found = index.find(parseFileQuery(searchFor(series))!).sort((a, b) => a - b);
    assert.deepEqual(
      found,
      Array.from({ length: SERIES }, (_, i) => series * SERIES + i),
    );
  }
});

test('peers have addresses of their own, all proven by the one the load comes from', () => {
  const keys = new Set(Array.from({ length: 130_000 }, (_, i) => addressKey(addressOfPeer(i, '127.0.0.1'))));
  assert.equal(keys.size, 130_000);
});

test('a peer of a swarm owns different parts, some and not all', () => {
  for (const parts of [2, 64, 1_000]) {
    for (let peer = 0; peer < 50; peer += 1) {
      const owned = partsOfPeer(peer, peer % 7, parts);
      assert.ok(owned.length >= 1 && owned.length < parts);
      assert.equal(new Set(owned).size, owned.length);
      assert.ok(owned.every((part) => part >= 0 && part < parts));
    }
  }
  assert.deepEqual(partsOfPeer(3, 4, 1), [0]);
});

test('a population of one file has one swarm', () => {
  assert.equal(swarmedFiles({ files: 1, peers: 1, parts: 1 }), 1);
});
