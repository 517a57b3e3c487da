import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkClock,
  checkIpv6,
  checkNode,
  checkOpenFiles,
  checkProcessors,
  checkWebAssembly,
  openFileLimit,
  thisWebAssembly,
} from '../../../src/daemon/doctor/machine.js';

test('a Node.js before 20.19 fails, and the fix names the version', () => {
  for (const version of ['18.20.4', '20.18.1']) {
    const { verdict, fix } = checkNode(version);
    assert.equal(verdict, 'fail', version);
    assert.match(fix!, /20\.19 or newer/);
  }
  for (const version of ['20.19.0', '22.0.0', process.versions.node])
    assert.equal(checkNode(version).verdict, 'ok', version);
});

test('one processor is enough, and slow', () => {
  assert.deepEqual(
    [1, 2].map((count) => checkProcessors(count).verdict),
    ['warn', 'ok'],
  );
});

test('without shared memory nothing works; without SIMD it is slower', () => {
  const refuse = () => {
    throw new RangeError('no memory');
  };
  assert.equal(checkWebAssembly(() => true, refuse).verdict, 'fail');
  assert.equal(
    checkWebAssembly(
      () => false,
      () => null,
    ).verdict,
    'warn',
  );
  assert.equal(thisWebAssembly().verdict, 'ok');
});

test('a low limit of open files warns, a tiny one fails, and the fix gives the number', () => {
  assert.deepEqual(
    [null, 100_000, 1_024, 64].map((most) => checkOpenFiles(most).verdict),
    ['ok', 'ok', 'warn', 'fail'],
  );
  assert.match(checkOpenFiles(1_024).fix!, /ulimit -n 11000/);
  assert.ok((openFileLimit() ?? 1) > 0);
});

test('a clock that was never set fails', () => {
  assert.equal(checkClock(0).verdict, 'fail');
  assert.equal(checkClock(Date.now()).verdict, 'ok');
});

test('IPv6 on loopback only, or none, is said', () => {
  const [local, global] = [true, false].map((internal) => ({ family: 'IPv6', internal }));
  const v4 = { family: 'IPv4', internal: false };
  assert.ok(local && global);
  assert.match(checkIpv6([v4]).message, /IPv4 only/);
  assert.match(checkIpv6([v4, local]).message, /loopback only/);
  assert.equal(checkIpv6([v4, local, global]).verdict, 'ok');
});
