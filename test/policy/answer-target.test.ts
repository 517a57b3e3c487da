import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AnswerTargets,
  answerDelay,
  answerTarget,
  CONNECTIONS_A_MINUTE,
  SILENCE_MS,
} from '../../src/policy/answer-target.js';

const MINUTE = 60_000;
const VICTIM = '203.0.114.9';

/** How many of `count` connections `every` milliseconds apart are allowed. */
function allowed(targets: AnswerTargets, from: number, count: number, every: number, ip = VICTIM): number {
  let made = 0;
  for (let i = 0; i < count; i++) if (targets.connect(ip, from + i * every) === null) made++;
  return made;
}

describe('where an answer may go', () => {
  const at = (v4: string | null, v6: string | null, port = 5_000) => ({ v4, v6, port });

  test('the target is as near as the address on which the query arrived', () => {
    assert.deepEqual(answerTarget(at('127.0.0.9', null), '127.0.0.1'), { host: '127.0.0.9', port: 5_000 });
    assert.deepEqual(answerTarget(at('8.8.4.4', null), '1.1.1.1'), { host: '8.8.4.4', port: 5_000 });
    assert.deepEqual(answerTarget(at('192.168.1.4', null), '10.0.0.1'), { host: '192.168.1.4', port: 5_000 });
    assert.deepEqual(answerTarget(at(null, 'fd00::1'), '10.0.0.1'), { host: 'fd00::1', port: 5_000 });
    for (const [target, local] of [
      ['127.0.0.1', '8.8.8.8'],
      ['10.0.0.1', '8.8.8.8'],
      ['8.8.8.8', '10.0.0.1'],
      ['169.254.0.1', '10.0.0.1'],
      ['10.0.0.1', '127.0.0.1'],
    ] as const) {
      assert.equal(answerTarget(at(target, null), local), 'target-scope', `${target} from ${local}`);
    }
  });

  test('of two halves the one in scope is taken', () => {
    assert.deepEqual(answerTarget(at('10.0.0.9', '2600::9'), '2600::1'), { host: '2600::9', port: 5_000 });
    assert.deepEqual(answerTarget(at('10.0.0.9', '2600::9'), '10.0.0.1'), { host: '10.0.0.9', port: 5_000 });
  });

  test('multicast, broadcast, unspecified, reserved and wrapped addresses are never a target', () => {
    for (const ip of ['224.0.0.1', '239.1.2.3', '255.255.255.255', '0.0.0.0', '240.0.0.1']) {
      assert.equal(answerTarget(at(ip, null), '8.8.8.8'), 'target-forbidden', ip);
    }
    for (const ip of ['ff02::1', '::', '2002:7f00:1::', '64:ff9b::7f00:1']) {
      assert.equal(answerTarget(at(null, ip), '2600::1'), 'target-forbidden', ip);
    }
    assert.equal(answerTarget(at(null, null), '8.8.8.8'), 'target-forbidden');
  });

  test('port 0 and ports below 1024 are never a target', () => {
    for (const port of [0, 25, 80, 1_023]) {
      assert.equal(answerTarget(at('127.0.0.1', null, port), '127.0.0.1'), 'target-port');
    }
    assert.notEqual(answerTarget(at('127.0.0.1', null, 1_024), '127.0.0.1'), 'target-port');
  });
});

describe('how often an unproven address is connected to', () => {
  test('25 times at once, and then not for 10 minutes', () => {
    const targets = new AnswerTargets();
    assert.equal(allowed(targets, 0, 10_000, 1), CONNECTIONS_A_MINUTE);
    assert.equal(allowed(targets, 10_000, 500, 1_000), 0, 'silence');
    assert.equal(targets.connect(VICTIM, CONNECTIONS_A_MINUTE + SILENCE_MS - 1), 'target-silent');
    assert.equal(allowed(targets, CONNECTIONS_A_MINUTE + SILENCE_MS, 100, 1), CONNECTIONS_A_MINUTE);
  });

  test('in no 60 s more than 25 times, whenever the minute begins', () => {
    const targets = new AnswerTargets();
    const times: number[] = [];
    for (let now = 0; now < 2 * MINUTE; now += 100)
      if (targets.connect(VICTIM, now) === null) times.push(now);
    for (const from of times) {
      assert.ok(times.filter((at) => at >= from && at < from + MINUTE).length <= CONNECTIONS_A_MINUTE);
    }
  });

  test('slower than that it is never silent', () => {
    const targets = new AnswerTargets();
    assert.equal(allowed(targets, 0, 500, MINUTE / CONNECTIONS_A_MINUTE), 500);
  });

  test('ports and neighbours in its /64 make no other address', () => {
    const targets = new AnswerTargets();
    let made = 0;
    for (let i = 1; i <= 100; i++) if (targets.connect(`2600::${i.toString(16)}`, i) === null) made++;
    assert.equal(made, CONNECTIONS_A_MINUTE);
  });

  test('an address that sent a request in the last 10 minutes is not counted', () => {
    const targets = new AnswerTargets();
    targets.heard(VICTIM, 0);
    assert.equal(allowed(targets, 0, 100, 6_000), 100);
    assert.equal(allowed(targets, 600_001, 100, 1), CONNECTIONS_A_MINUTE, 'its request is too long ago');
    targets.heard(VICTIM, 600_200);
    assert.equal(targets.connect(VICTIM, 600_201), null, 'it speaks again');
  });

  test('an address that logs in within 60 s of an answer is proven, one that logs in later is not', () => {
    const [soon, late] = [new AnswerTargets(), new AnswerTargets()];
    for (const targets of [soon, late]) assert.equal(targets.connect(VICTIM, 0), null);
    soon.loggedIn(VICTIM, MINUTE);
    late.loggedIn(VICTIM, MINUTE + 1);
    assert.equal(allowed(soon, MINUTE + 10, 100, 1), 100);
    assert.equal(allowed(late, MINUTE + 10, 100, 1), CONNECTIONS_A_MINUTE);
  });

  test('the tables are bounded: with too many addresses under way a new one is refused', () => {
    const targets = new AnswerTargets();
    for (let i = 0; i < 16_384; i++) assert.equal(targets.connect(`2600:${i.toString(16)}::1`, 0), null);
    assert.equal(targets.connect(VICTIM, 1), 'targets-full');
    targets.heard('9.9.9.9', 1);
    assert.equal(targets.connect('9.9.9.9', 1), null, 'a proven one needs no place');
    assert.equal(targets.connect(VICTIM, MINUTE), null, 'the oldest is forgotten after a minute');
  });
});

test('who answers with many others waits for up to a second, who answers with few does not', () => {
  const random = () => 0.75;
  assert.equal(answerDelay(1, false, random), 0);
  assert.equal(answerDelay(1, true, random), 0);
  assert.equal(answerDelay(2, false, random), 0);
  assert.equal(answerDelay(2, true, random), 750);
  assert.equal(answerDelay(4, false, random), 750);
});
