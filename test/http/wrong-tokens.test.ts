import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WrongTokens } from '../../src/http/wrong-tokens.js';
import { ManualClock } from '../support/manual-clock.js';

test('who goes on bringing wrong tokens waits longer and longer, and nobody else does', () => {
  const clock = new ManualClock();
  const tokens = new WrongTokens(clock);
  const waits = [];
  for (let n = 0; n < 20; n++) {
    tokens.wrong('192.0.2.1');
    waits.push(tokens.wait('192.0.2.1'));
  }
  assert.deepEqual(waits.slice(0, 12), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1_000, 2_000, 4_000]);
  assert.equal(waits.at(-1), 60_000);
  assert.equal(tokens.wait('::ffff:192.0.2.1'), 60_000, 'the same address');
  assert.equal(tokens.wait('192.0.2.2'), 0);
  tokens.right('192.0.2.1');
  assert.equal(tokens.wait('192.0.2.1'), 0);
});

test('a host with a whole /64 is one guesser, and of many guessers the first are forgotten', () => {
  const tokens = new WrongTokens(new ManualClock());
  for (let n = 0; n < 12; n++) tokens.wrong(`2001:db8::${n + 1}`);
  assert.equal(tokens.wait('2001:db8::ffff'), 4_000);
  for (let n = 0; n < 10_000; n++) tokens.wrong(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  assert.equal(tokens.wait('2001:db8::ffff'), 0);
});
