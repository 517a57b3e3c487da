import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../support/manual-clock.js';
import { assertAnswered, numbered, pipelineTo } from './pipeline-rig.js';
import { type Script, until } from './scripted-node.js';

const silent: Script = () => {};
/** Answers the first request and closes. */
const closing: Script = (socket, request, nth) => {
  if (nth === 0) socket.end(request);
};

test('one request is asked at a time until a second one was answered on the same connection', async (t) => {
  const held: Socket[] = [];
  const { node, pipeline, submit } = await pipelineTo(t, (socket) => held.push(socket));
  const answers = numbered(6).map((request) => submit(request));
  await until(() => held.length === 1);
  await setImmediate();
  assert.equal(held.length, 1);
  node.sockets[0]!.write('0000');
  await until(() => held.length === 2);
  assert.equal(pipeline.mode, 'unknown');
  await setImmediate();
  assert.equal(held.length, 2);
  node.sockets[0]!.write('0001');
  await until(() => held.length === 6);
  assert.equal(pipeline.mode, 'kept');
  node.sockets[0]!.write('0002000300040005');
  await assertAnswered(answers);
  assert.equal(node.seen.length, 1);
});

test('a kept node has up to `depth` requests on each connection, new connections from their start', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(
    t,
    (socket, request, _, connection) => {
      if (connection === 0) socket.write(request);
    },
    { maxConnections: 2, depth: 3, queueLimit: 0 },
  );
  await assertAnswered([submit('aaaa')]);
  await assertAnswered([submit('bbbb')]);
  assert.equal(pipeline.room(), 6);
  const answers = numbered(6).map((request) => submit(request));
  assert.equal(pipeline.room(), 0);
  await until(() => node.seen[1]?.length === 3);
  assert.deepEqual(node.seen[1], ['0001', '0003', '0005'], 'in turn');
  assert.equal(pipeline.stats().connections, 2);
  node.sockets[1]!.write(node.seen[1]!.join(''));
  await assertAnswered(answers);
  assert.equal(pipeline.room(), 6);
});

test('a node that closes after each answer answers everything, and nothing fails', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, closing, { maxConnections: 3 });
  const answers = numbered(40).map((request) => submit(request));
  await assertAnswered(answers);
  assert.equal(pipeline.mode, 'closes');
  const { repeated, failures } = pipeline.stats();
  assert.ok(repeated <= 3, `${repeated} requests were repeated`);
  assert.deepEqual(failures, {});
  assert.equal(node.seen.length, pipeline.stats().opened);
  assert.ok(node.seen.slice(6).every((requests) => requests.length === 1));
});

test('a close of an idle connection after its first answer shows a node that closes', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, closing);
  await assertAnswered([submit('aaaa')]);
  await until(() => pipeline.mode === 'closes');
  await assertAnswered([submit('bbbb')]);
  assert.equal(pipeline.stats().repeated, 0);
  assert.deepEqual(node.seen, [['aaaa'], ['bbbb']]);
});

test('a request on a reused connection that gets no byte is repeated once, and refused if refused again', async (t) => {
  const refusing: Script = (socket, request) => {
    if (request === 'nope') socket.end();
    else socket.write(request);
  };
  const { node, pipeline, submit } = await pipelineTo(t, refusing);
  await assertAnswered([submit('aaaa')]);
  const refused = submit('nope');
  assert.deepEqual(await refused.over, { kind: 'refused', begun: false });
  assert.equal(refused.ends, 1);
  assert.deepEqual(node.seen, [['aaaa', 'nope'], ['nope']]);
  assert.equal(pipeline.mode, 'unknown', 'a refusal says nothing about closing');
  await assertAnswered(numbered(5).map((request) => submit(request)));
  assert.equal(pipeline.mode, 'kept');
});

test('a request that is first on its connection is not repeated', async (t) => {
  const { node, submit } = await pipelineTo(t, (socket) => socket.resetAndDestroy());
  assert.equal((await submit('aaaa').over)?.kind, 'reset');
  assert.equal(node.seen.length, 1);
});

test('a node that answers once and then neither reads nor closes gets one request a connection', async (t) => {
  const clock = new ManualClock();
  const { node, pipeline, submit } = await pipelineTo(
    t,
    (socket, request, nth) => {
      if (nth === 0) socket.write(request);
    },
    { clock, maxConnections: 2 },
  );
  await assertAnswered(['aaaa', 'bbbb'].map((request) => submit(request)));
  const trial = submit('cccc');
  await until(() => node.seen.some((requests) => requests.length === 2));
  await assertAnswered(['dddd', 'eeee'].map((request) => submit(request)));
  assert.equal(node.seen.filter((requests) => requests.length === 2).length, 1, 'one trial at a time');
  assert.ok(pipeline.stats().connections <= 2);
  clock.advance(3_000);
  await assertAnswered([trial]);
  assert.equal(pipeline.mode, 'closes');
  await assertAnswered(numbered(4).map((request) => submit(request)));
  assert.equal(node.seen.filter((requests) => requests.length === 2).length, 1);
  assert.deepEqual(pipeline.stats().failures, {});
  assert.equal(pipeline.stats().connections, 0);
});

test('a trial takes no longer than the request allows', async (t) => {
  const clock = new ManualClock();
  const { node, submit } = await pipelineTo(t, silent, { clock });
  const answers = [submit('aaaa'), submit('bbbb', { firstByteMs: 1_000 })];
  await until(() => node.seen[0]?.length === 1);
  node.sockets[0]!.write('aaaa');
  await until(() => node.seen[0]?.length === 2);
  clock.advance(1_000);
  await until(() => node.seen[1]?.length === 1);
  node.sockets[1]!.write('bbbb');
  await assertAnswered(answers);
});

test('a node that takes its time over every answer is not taken for one that stopped reading', async (t) => {
  const clock = new ManualClock();
  const { node, pipeline, submit } = await pipelineTo(t, silent, { clock });
  const answers = [submit('aaaa'), submit('bbbb')];
  await until(() => node.seen[0]?.length === 1);
  node.sockets[0]!.write('aaaa');
  await until(() => node.seen[0]?.length === 2);
  clock.advance(3_000);
  await until(() => node.seen[1]?.length === 1);
  clock.advance(10_000);
  node.sockets[1]!.write('bbbb');
  await assertAnswered(answers);
  assert.equal(pipeline.mode, 'unknown');
});

test('when a kept connection ends, the begun answer fails and those behind it come by new connections', async (t) => {
  const { node, pipeline, submit } = await pipelineTo(t, (socket, request, _, connection) => {
    if (connection > 0 || request < '0010') socket.write(request);
    else if (request === '0013') socket.end('half'.slice(0, 2));
  });
  await assertAnswered(numbered(2).map((request) => submit(request)));
  const [cut, ...behind] = numbered(4, 10).map((request) => submit(request));
  const queued = numbered(20, 20).map((request) => submit(request));
  assert.equal((await cut!.over)?.kind, 'cut');
  await assertAnswered([...behind, ...queued]);
  assert.equal(pipeline.stats().repeated, 3);
  assert.deepEqual(pipeline.stats().failures, { cut: 1 });
  assert.deepEqual(
    node.seen.slice(1).map(([first]) => first),
    ['0011', '0012', '0013'],
    'each goes first on a connection of its own, before whatever is queued',
  );
  assert.equal(pipeline.mode, 'kept');
});

test('a kept node that closes a few connections early stays kept', async (t) => {
  let keeps = true;
  const { node, pipeline, submit } = await pipelineTo(t, (socket, request, nth) => {
    if (keeps || nth === 0) socket.write(request);
    if (!keeps) socket.end();
  });
  const askFour = async () => {
    await assertAnswered(numbered(4).map((request) => submit(request)));
  };
  const allEnd = async () => {
    for (const socket of node.sockets) socket.destroy();
    await until(() => pipeline.stats().connections === 0);
  };
  for (let round = 0; round < 3; round++) {
    keeps = true;
    await askFour();
    await allEnd();
    keeps = false;
    for (let early = 0; early < 2; early++) {
      await askFour();
      await allEnd();
    }
  }
  assert.equal(pipeline.stats().repeated, 18, 'three for each connection that was closed early');
  assert.equal(pipeline.mode, 'kept');
});

test('an answer that breaks off is not repeated on a kept connection either', async (t) => {
  const { node, submit } = await pipelineTo(t, (socket, request) => {
    if (request !== 'half') socket.write(request);
  });
  await assertAnswered(numbered(2).map((request) => submit(request)));
  const broken = submit('half');
  await until(() => node.seen[0]?.length === 3);
  node.sockets[0]!.write('ha');
  await until(() => broken.at === 2);
  node.sockets[0]!.resetAndDestroy();
  assert.equal((await broken.over)?.kind, 'reset');
  assert.equal(node.seen.length, 1);
});

test('while a repeat waits for a connection of its own, one is emptied and the others go on', async (t) => {
  const held = new Set(['lose', 'loss', 'wait', 'next']);
  const { node, pipeline, submit } = await pipelineTo(
    t,
    (socket, request) => {
      if (!held.has(request)) socket.write(request);
    },
    { maxConnections: 2, depth: 2 },
  );
  await assertAnswered([submit('aaaa')]);
  await assertAnswered([submit('bbbb')]);
  const [first, waiting, second] = ['lose', 'wait', 'loss'].map((request) => submit(request));
  await until(() => node.seen[0]?.length === 4 && node.seen[1]?.length === 1);
  node.sockets[0]!.destroy();
  await until(() => node.seen[2]?.length === 1);
  const next = submit('next');
  await until(() => node.seen[2]?.length === 2);
  assert.equal(pipeline.stats().queued, 1);
  node.sockets[2]!.write('losenext');
  node.sockets[1]!.write('wait');
  await until(() => node.seen[3]?.length === 1);
  node.sockets[3]!.write('loss');
  await assertAnswered([first!, waiting!, second!, next]);
  assert.deepEqual(node.seen.slice(1), [['wait'], ['lose', 'next'], ['loss']]);
});

test('a node that stops keeping connections is found out', async (t) => {
  let keeps = true;
  const { node, pipeline, submit } = await pipelineTo(t, (socket, request, nth) => {
    if (keeps || nth === 0) socket.write(request);
    if (!keeps) socket.end();
  });
  await assertAnswered(numbered(3).map((request) => submit(request)));
  assert.equal(pipeline.mode, 'kept');
  keeps = false;
  await assertAnswered(numbered(30, 10).map((request) => submit(request)));
  assert.equal(pipeline.mode, 'closes');
  assert.ok(node.seen.slice(-10).every((requests) => requests.length === 1));
});
