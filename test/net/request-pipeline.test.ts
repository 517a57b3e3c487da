import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../support/manual-clock.js';
import { assertAnswered, numbered, pipelineTo } from './pipeline-rig.js';
import { type Script, ScriptedNode, until } from './scripted-node.js';

const echo: Script = (socket, request) => socket.write(request);
const silent: Script = () => {};
/** Answers the first request and closes. */
const closing: Script = (socket, request, nth) => {
  if (nth === 0) socket.end(request);
};

test('a node that accepts and never answers fails the request after its time, and only once', async (t) => {
  const clock = new ManualClock();
  const { node, submit } = await pipelineTo(t, silent, { clock });
  const answer = submit('aaaa', { firstByteMs: 5_000 });
  await until(() => node.seen[0]?.length === 1);
  clock.advance(5_000);
  assert.deepEqual(await answer.over, { kind: 'first-byte-timeout', begun: false });
  assert.equal(node.seen.length, 1);
});

test('the addresses of a node are tried in turn, and the one that worked comes first from then on', async (t) => {
  const { pipeline, submit, node } = await pipelineTo(t, closing, { hosts: ['127.0.0.3', '127.0.0.1'] });
  await assertAnswered(numbered(3).map((request) => submit(request)));
  const other = await ScriptedNode.start(t, closing, { host: '127.0.0.3', port: node.port });
  await assertAnswered(numbered(3).map((request) => submit(request)));
  assert.deepEqual(pipeline.stats().failures, {});
  assert.equal(other.seen.length, 0);
});

test('a refusal at the second address is a refusal, and not repeated', async (t) => {
  const { submit, node } = await pipelineTo(t, (socket) => socket.end(), {
    hosts: ['127.0.0.3', '127.0.0.1'],
  });
  assert.equal((await submit('aaaa').over)?.kind, 'refused');
  assert.equal(node.seen.length, 1);
});

test('a node that no address reaches fails the requests as connect', async (t) => {
  const { pipeline, submit } = await pipelineTo(t, closing, {
    hosts: ['127.0.0.3', '127.0.0.2'],
    maxConnections: 2,
  });
  const answers = numbered(2).map((request) => submit(request));
  for (const answer of answers) assert.equal((await answer.over)?.kind, 'connect');
  assert.deepEqual(pipeline.stats().failures, { connect: 2 });
  assert.equal(pipeline.stats().connections, 0);
});

test('room counts what may be on its way at once, and is announced when it appears', async (t) => {
  const held: Socket[] = [];
  const { pipeline, submit, rooms } = await pipelineTo(t, (socket) => held.push(socket), {
    maxConnections: 2,
    queueLimit: 1,
  });
  assert.equal(pipeline.room(), 2);
  const first = submit('aaaa');
  assert.equal(pipeline.room(), 1);
  const rest = [submit('bbbb'), submit('cccc')];
  assert.equal(pipeline.room(), 0);
  assert.equal(pipeline.stats().queued, 1);
  await until(() => held.length === 2);
  held[0]!.write('aaaa');
  await assertAnswered([first]);
  assert.equal(rooms(), 0, 'the place went to the one that waited');
  await until(() => held.length === 3);
  for (const [at, socket] of held.slice(1).entries()) socket.write(['bbbb', 'cccc'][at]!);
  await assertAnswered(rest);
  assert.ok(rooms() > 0);
  assert.ok(pipeline.room() > 0);
});

test('what neither has room nor a place in the queue fails as aborted', async (t) => {
  const { submit, pipeline } = await pipelineTo(t, silent, { queueLimit: 1 });
  const taken = [submit('aaaa'), submit('bbbb')];
  const surplus = submit('cccc');
  assert.equal(surplus.ends, 0, 'not inside submit');
  const failure = await surplus.over;
  assert.equal(failure?.kind, 'aborted');
  assert.equal(failure.error?.code, 'QUEUE_FULL');
  assert.equal(pipeline.stats().queued, 1);
  assert.deepEqual(
    taken.map(({ ends }) => ends),
    [0, 0],
  );
});

test('fewer connections are reached without losing an answer', async (t) => {
  const held: [Socket, string][] = [];
  const { pipeline, submit, node } = await pipelineTo(t, (socket, request) => held.push([socket, request]), {
    maxConnections: 3,
  });
  const answers = numbered(3).map((request) => submit(request));
  await until(() => held.length === 3);
  pipeline.maxConnections = 1;
  assert.equal(pipeline.room(), 0);
  assert.equal(pipeline.stats().connections, 3);
  for (const [socket, request] of held) socket.write(request);
  await assertAnswered(answers);
  assert.equal(pipeline.stats().connections, 1);
  assert.equal(pipeline.room(), 1);
  pipeline.maxConnections = 2;
  assert.equal(pipeline.room(), 2);
  assert.equal(node.sockets.length, 3);
});

test('of too many connections the idle one is closed first', async (t) => {
  const { pipeline, submit, node } = await pipelineTo(t, () => {}, { maxConnections: 2 });
  const answers = numbered(2).map((request) => submit(request));
  await until(() => node.seen.length === 2 && node.seen.every((requests) => requests.length === 1));
  const [idle, busy] = node.seen[0]![0] === '0001' ? [0, 1] : [1, 0];
  node.sockets[idle]!.write('0001');
  await assertAnswered([answers[1]!]);
  pipeline.maxConnections = 1;
  assert.equal(pipeline.stats().connections, 1);
  node.sockets[busy]!.write('0000');
  await assertAnswered([answers[0]!]);
});

test('an aborted exchange ends at once; those behind it are answered elsewhere', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, (socket, request) => {
    if (request !== 'hang') socket.write(request);
  });
  await assertAnswered(numbered(2).map((request) => submit(request)));
  const hanging = submit('hang');
  const behind = numbered(3, 10).map((request) => submit(request));
  await until(() => node.seen[0]?.length === 6);
  pipeline.abort(hanging);
  assert.equal(hanging.ends, 1);
  assert.equal(pipeline.room(), 1, 'three of the four places belong to those behind');
  assert.deepEqual(await hanging.over, { kind: 'aborted', begun: false });
  await assertAnswered(behind);
  assert.deepEqual(node.seen.slice(1), [numbered(3, 10)]);
  assert.equal(pipeline.stats().repeated, 0);
  pipeline.abort(hanging);
  assert.equal(hanging.ends, 1);
});

test('aborting an exchange behind others lets those before it finish', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, (socket, request, _, connection) => {
    if (connection > 0 || request < '0010') socket.write(request);
  });
  await assertAnswered(numbered(2).map((request) => submit(request)));
  const [first, unwanted, last] = numbered(3, 10).map((request) => submit(request));
  await until(() => node.seen[0]?.length === 5);
  node.sockets[0]!.write('00');
  await until(() => first!.at === 2);
  pipeline.abort(unwanted!);
  assert.equal((await unwanted!.over)?.kind, 'aborted');
  node.sockets[0]!.write('1000110012');
  await assertAnswered([first!, last!]);
  assert.equal(unwanted!.at, 0, 'no byte of the unwanted answer landed');
  assert.deepEqual(node.seen[1], ['0012']);
});

test('aborting everything in one turn sends nothing again', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, (socket, request) => {
    if (request < '0010') socket.write(request);
  });
  await assertAnswered(numbered(2).map((request) => submit(request)));
  const answers = numbered(10, 10).map((request) => submit(request));
  await until(() => node.seen[0]?.length === 6);
  for (const answer of answers) pipeline.abort(answer);
  for (const answer of answers) assert.equal((await answer.over)?.kind, 'aborted');
  await setImmediate();
  assert.equal(pipeline.stats().connections, 0);
  assert.equal(pipeline.stats().opened, 1);
  assert.equal(node.seen.length, 1);
});

test('an exchange that is aborted by its own last byte ends once, and the next goes elsewhere', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, echo);
  const answers = [submit('aaaa', { whole: () => pipeline.abort(answers[0]!) }), submit('bbbb')];
  assert.equal((await answers[0]!.over)?.kind, 'aborted');
  await assertAnswered([answers[1]!]);
  assert.deepEqual(node.seen, [['aaaa'], ['bbbb']]);
});

test('close fails everything as aborted, and nothing is taken on any more', async (t) => {
  const { pipeline, submit } = await pipelineTo(t, silent, { maxConnections: 2, queueLimit: 2 });
  const answers = numbered(4).map((request) => submit(request));
  pipeline.close();
  assert.equal(pipeline.room(), 0);
  for (const answer of [...answers, submit('late')]) {
    assert.equal((await answer.over)?.kind, 'aborted');
    assert.equal(answer.ends, 1);
  }
  assert.deepEqual(pipeline.stats().inFlight + pipeline.stats().queued, 0);
});

test('a pipeline closed by the last answer neither fails it nor leaves anything open', async (t) => {
  const rig = await pipelineTo(t, echo, { maxConnections: 2 });
  const answer = rig.submit('aaaa', { whole: () => rig.pipeline.close() });
  const other = rig.submit('bbbb', { whole: () => rig.pipeline.close() });
  const ends = await Promise.all([answer.over, other.over]);
  assert.deepEqual(ends.map((end) => end?.kind).sort(), ['aborted', undefined]);
  assert.equal(rig.pipeline.stats().connections, 0);
});
