import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AnswerTargets, CONNECTIONS_A_MINUTE } from '../../src/policy/answer-target.js';
import { encodeAcap } from '../../src/protocol/encode.js';
import { AnswerOutlet } from '../../src/search/answer-outlet.js';
import { SearchCounts } from '../../src/search/search-counts.js';
import { type Script, ScriptedNode, until } from '../net/scripted-node.js';
import { atEnd } from '../support/clean-up.js';
import { happened } from '../support/happened.js';
import { ManualClock } from '../support/manual-clock.js';

const HOST = '127.0.0.1';
const keeping: Script = (socket, request) => {
  if (request === 'CAPS') socket.write(encodeAcap(['KEEP']));
};
const closing: Script = (socket) => socket.destroy();
const messages = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const many = (count: number) => messages(...Array.from({ length: count }, () => 'AQUE'));

function outletOf(t: TestContext) {
  const clock = new ManualClock();
  const counts = new SearchCounts();
  const targets = new AnswerTargets();
  const outlet = new AnswerOutlet({ targets, counts, localAddress: HOST, clock });
  atEnd(t, () => {
    outlet.stop();
    assert.equal(outlet.size, 0);
    return until(() => clock.pending.length === 0);
  });
  return { outlet, clock, counts, targets };
}

test('one answer is a connection of its own, and its asker is forgotten', async (t) => {
  const node = await ScriptedNode.start(t, closing);
  const { outlet, counts } = outletOf(t);
  outlet.answer({ host: HOST, port: node.port }, messages('AQUE'), 0);
  await until(() => outlet.size === 0);
  assert.deepEqual([node.seen, counts.answers, happened(counts.dropped)], [[['AQUE']], 1, {}]);
});

test('more answers are sent on one connection where the asker keeps it, for 3 s', async (t) => {
  const node = await ScriptedNode.start(t, keeping);
  const { outlet, clock, counts } = outletOf(t);
  const to = { host: HOST, port: node.port };
  outlet.answer(to, messages('AQU1', 'AQU2'), 0);
  await until(() => counts.answers === 2);
  outlet.answer(to, messages('AQU3'), 0);
  await until(() => node.seen[0]!.length === 4);
  assert.deepEqual(node.seen, [['CAPS', 'AQU1', 'AQU2', 'AQU3']]);
  clock.advance(3_000);
  await until(() => outlet.size === 0);
});

test('where it does not, each has its own, and the asker is not asked again for an hour', async (t) => {
  const node = await ScriptedNode.start(t, closing);
  const { outlet, clock, counts } = outletOf(t);
  const to = { host: HOST, port: node.port };
  for (const round of [1, 2]) {
    outlet.answer(to, messages('AQU1', 'AQU2'), 0);
    await until(() => counts.answers === 2 * round && outlet.size === 0);
    assert.equal(node.seen.flat().filter((request) => request === 'CAPS').length, 1);
  }
  clock.advance(3_600_000);
  outlet.answer(to, messages('AQU1', 'AQU2'), 0);
  await until(() => counts.answers === 6);
  assert.equal(node.seen.flat().filter((request) => request === 'CAPS').length, 2);
});

test('an answer waits as long as it is told', async (t) => {
  const node = await ScriptedNode.start(t, closing);
  const { outlet, clock, counts } = outletOf(t);
  outlet.answer({ host: HOST, port: node.port }, messages('AQUE'), 700);
  clock.advance(699);
  assert.deepEqual([node.seen, clock.pending], [[], [1]]);
  clock.advance(1);
  await until(() => counts.answers === 1);
});

test('answers to an asker that is not there are dropped', async (t) => {
  const { outlet, counts } = outletOf(t);
  outlet.answer({ host: HOST, port: 1 }, messages('AQUE'), 0);
  outlet.answer({ host: HOST, port: 2 }, many(10), 0);
  await until(() => outlet.size === 0);
  assert.deepEqual([counts.answers, happened(counts.dropped)], [0, { 'asker-unreachable': 11 }]);
});

test('an address that is due for silence gets no connection', async (t) => {
  const node = await ScriptedNode.start(t, closing);
  const { outlet, clock, counts, targets } = outletOf(t);
  for (let n = 0; n < CONNECTIONS_A_MINUTE; n++) targets.connect(HOST, clock.now());
  const to = { host: HOST, port: node.port };
  outlet.answer(to, messages('AQUE'), 0);
  outlet.answer(to, many(3), 0);
  assert.deepEqual([happened(counts.dropped), outlet.size], [{ 'target-silent': 4 }, 0]);
  assert.deepEqual(node.seen, []);
  targets.heard(HOST, clock.now());
  outlet.answer(to, messages('AQUE'), 0);
  await until(() => counts.answers === 1);
});

test('sixty-four answers wait for one asker, and sixty-four delays', async (t) => {
  const node = await ScriptedNode.start(t, () => {});
  const { outlet, counts } = outletOf(t);
  const to = { host: HOST, port: node.port };
  outlet.answer(to, many(100), 0);
  assert.deepEqual(happened(counts.dropped), { 'answers-full': 36 });
  for (let n = 0; n < 65; n++) outlet.answer(to, many(1), 500);
  assert.deepEqual(happened(counts.dropped), { 'answers-full': 37 });
});

test('no more than 1,024 askers are answered at a time', async (t) => {
  const { outlet, counts, clock } = outletOf(t);
  for (let n = 0; n < 1_025; n++) outlet.answer({ host: HOST, port: 2_000 + n }, many(2), 500);
  assert.deepEqual([outlet.size, happened(counts.dropped)], [1_024, { 'answers-full': 2 }]);
  outlet.stop();
  assert.deepEqual([outlet.size, clock.pending], [0, []]);
  outlet.answer({ host: HOST, port: 2_000 }, many(1), 0);
  assert.equal(outlet.size, 0);
});
