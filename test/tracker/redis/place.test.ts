import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisPlace } from '../../../src/tracker/redis/place.js';

const plain = {
  form: 'single',
  nodes: [{ host: '127.0.0.1', port: 6379 }],
  master: '',
  tls: false,
  username: null,
  password: null,
  database: 0,
};

test('a URL names one engine, some nodes of a cluster, or sentinels with the name of their master', () => {
  assert.deepEqual(parseRedisPlace('redis://127.0.0.1'), plain);
  assert.deepEqual(parseRedisPlace('rediss://u%40x:p%3Aw:d@[::1]:7000/3'), {
    ...plain,
    nodes: [{ host: '::1', port: 7000 }],
    tls: true,
    username: 'u@x',
    password: 'p:w:d',
    database: 3,
  });
  assert.deepEqual(parseRedisPlace('redis://:secret@db'), {
    ...plain,
    nodes: [{ host: 'db', port: 6379 }],
    password: 'secret',
  });
  const two = [
    { host: 'a', port: 7001 },
    { host: 'b', port: 6379 },
  ];
  assert.deepEqual(parseRedisPlace('redis+cluster://a:7001,b'), { ...plain, form: 'cluster', nodes: two });
  assert.deepEqual(parseRedisPlace('rediss+sentinel://a:7001,b/main/2'), {
    ...plain,
    form: 'sentinel',
    nodes: [
      { host: 'a', port: 7001 },
      { host: 'b', port: 26379 },
    ],
    master: 'main',
    tls: true,
    database: 2,
  });
});

test('what only looks like one is refused', () => {
  for (const text of [
    'redis:',
    'redis://',
    'redis://:6379',
    'redis://a:0',
    'redis://a:70000',
    'redis://a,b',
    'redis://a/x',
    'redis://a/1/2',
    'redis+cluster://a,,b',
    'redis+cluster://a/1',
    'redis+sentinel://a',
    'redis+sentinel://a/main/x',
    'redis://%zz@a',
    'http://a',
    'memory:',
  ]) {
    assert.equal(parseRedisPlace(text), null, text);
  }
});
