import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.js';
import { RequestPipeline, type RequestPipelineInit } from '../../src/net/request-pipeline.js';
import { atEnd } from '../support/clean-up.js';
import { ManualClock } from '../support/manual-clock.js';
import { type Expectation, ExpectedAnswer } from './expected-answer.js';
import { type Script, ScriptedNode, until } from './scripted-node.js';

interface Rig {
  readonly node: ScriptedNode;
  readonly pipeline: RequestPipeline;
  /** How often room was announced. */
  rooms(): number;
  submit(request: string, expectation?: Expectation): ExpectedAnswer;
}

async function rigFor(t: TestContext, script: Script, more: Partial<RequestPipelineInit> = {}): Promise<Rig> {
  const node = await ScriptedNode.start(t, script);
  let rooms = 0;
  const pipeline = new RequestPipeline({
    hosts: ['127.0.0.1'],
    port: node.port,
    clock: systemClock,
    maxConnections: 1,
    depth: 4,
    queueLimit: 1_000,
    onRoom: () => rooms++,
    ...more,
  });
  atEnd(t, () => pipeline.close());
  const submit = (request: string, expectation: Expectation = {}) => {
    const answer = new ExpectedAnswer(request, 4, expectation);
    pipeline.submit(answer);
    return answer;
  };
  return { node, pipeline, rooms: () => rooms, submit };
}

const echo: Script = (socket, request) => socket.write(request);
const silent: Script = () => {};
/** Answers the first request and closes. */
const closing: Script = (socket, request, nth) => {
  if (nth === 0) socket.end(request);
};

function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => String(from + n).padStart(4, '0'));
}

async function assertAnswered(answers: readonly ExpectedAnswer[]): Promise<void> {
  for (const answer of answers) assert.equal(await answer.over, null);
  for (const answer of answers) {
    assert.equal(answer.text, Buffer.from(answer.request).toString());
    assert.equal(answer.ends, 1);
  }
}

test('one request is asked at a time until a second one was answered on the same connection', async (t) => {
  const held: Socket[] = [];
  const { node, pipeline, submit } = await rigFor(t, (socket) => held.push(socket));
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
  const { node, pipeline, submit } = await rigFor(
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
  assert.equal(pipeline.stats().connections, 2);
  node.sockets[1]!.write(node.seen[1]!.join(''));
  await assertAnswered(answers);
  assert.equal(pipeline.room(), 6);
});

test('a node that closes after each answer answers everything, and nothing fails', async (t) => {
  const { node, pipeline, submit } = await rigFor(t, closing, { maxConnections: 3 });
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
  const { node, pipeline, submit } = await rigFor(t, closing);
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
  const { node, pipeline, submit } = await rigFor(t, refusing);
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
  const { node, submit } = await rigFor(t, (socket) => socket.resetAndDestroy());
  assert.equal((await submit('aaaa').over)?.kind, 'reset');
  assert.equal(node.seen.length, 1);
});

test('a node that answers once and then neither reads nor closes gets one request a connection', async (t) => {
  const clock = new ManualClock();
  const { node, pipeline, submit } = await rigFor(
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
  const { node, submit } = await rigFor(t, silent, { clock });
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
  const { node, pipeline, submit } = await rigFor(t, silent, { clock });
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

test('a node that accepts and never answers fails the request after its time, and only once', async (t) => {
  const clock = new ManualClock();
  const { node, submit } = await rigFor(t, silent, { clock });
  const answer = submit('aaaa', { firstByteMs: 5_000 });
  await until(() => node.seen[0]?.length === 1);
  clock.advance(5_000);
  assert.deepEqual(await answer.over, { kind: 'first-byte-timeout', begun: false });
  assert.equal(node.seen.length, 1);
});

test('when a kept connection ends, the begun answer fails and those behind it come by new connections', async (t) => {
  const { node, pipeline, submit } = await rigFor(t, (socket, request, _, connection) => {
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
  const { node, pipeline, submit } = await rigFor(t, (socket, request, nth) => {
    if (keeps || nth === 0) socket.write(request);
    if (!keeps) socket.end();
  });
  const askTwo = async () => {
    await assertAnswered(numbered(2).map((request) => submit(request)));
  };
  const allEnd = async () => {
    for (const socket of node.sockets) socket.destroy();
    await until(() => pipeline.stats().connections === 0);
  };
  for (let round = 0; round < 3; round++) {
    keeps = true;
    await askTwo();
    await allEnd();
    keeps = false;
    for (let early = 0; early < 2; early++) {
      await askTwo();
      await allEnd();
    }
  }
  assert.equal(pipeline.stats().repeated, 6);
  assert.equal(pipeline.mode, 'kept');
});

test('an answer that breaks off is not repeated on a kept connection either', async (t) => {
  const { node, submit } = await rigFor(t, (socket, request) => {
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
  const { node, pipeline, submit } = await rigFor(
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
  const { node, pipeline, submit } = await rigFor(t, (socket, request, nth) => {
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

test('the addresses of a node are tried in turn, and the one that worked comes first from then on', async (t) => {
  const { pipeline, submit, node } = await rigFor(t, closing, { hosts: ['127.0.0.3', '127.0.0.1'] });
  await assertAnswered(numbered(3).map((request) => submit(request)));
  const other = await ScriptedNode.start(t, closing, { host: '127.0.0.3', port: node.port });
  await assertAnswered(numbered(3).map((request) => submit(request)));
  assert.deepEqual(pipeline.stats().failures, {});
  assert.equal(other.seen.length, 0);
});

test('a refusal at the second address is a refusal, and not repeated', async (t) => {
  const { submit, node } = await rigFor(t, (socket) => socket.end(), { hosts: ['127.0.0.3', '127.0.0.1'] });
  assert.equal((await submit('aaaa').over)?.kind, 'refused');
  assert.equal(node.seen.length, 1);
});

test('a node that no address reaches fails the requests as connect', async (t) => {
  const { pipeline, submit } = await rigFor(t, closing, {
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
  const { pipeline, submit, rooms } = await rigFor(t, (socket) => held.push(socket), {
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
  const { submit, pipeline } = await rigFor(t, silent, { queueLimit: 1 });
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
  const { pipeline, submit, node } = await rigFor(t, (socket, request) => held.push([socket, request]), {
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

test('an aborted exchange ends at once; those behind it are answered elsewhere', async (t) => {
  const { node, pipeline, submit } = await rigFor(t, (socket, request) => {
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
  const { node, pipeline, submit } = await rigFor(t, (socket, request, _, connection) => {
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
  const { node, pipeline, submit } = await rigFor(t, (socket, request) => {
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
  const { node, pipeline, submit } = await rigFor(t, echo);
  const answers = [submit('aaaa', { whole: () => pipeline.abort(answers[0]!) }), submit('bbbb')];
  assert.equal((await answers[0]!.over)?.kind, 'aborted');
  await assertAnswered([answers[1]!]);
  assert.deepEqual(node.seen, [['aaaa'], ['bbbb']]);
});

test('close fails everything as aborted, and nothing is taken on any more', async (t) => {
  const { pipeline, submit } = await rigFor(t, silent, { maxConnections: 2, queueLimit: 2 });
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
  const rig = await rigFor(t, echo, { maxConnections: 2 });
  const answer = rig.submit('aaaa', { whole: () => rig.pipeline.close() });
  const other = rig.submit('bbbb', { whole: () => rig.pipeline.close() });
  const ends = await Promise.all([answer.over, other.over]);
  assert.deepEqual(ends.map((end) => end?.kind).sort(), ['aborted', undefined]);
  assert.equal(rig.pipeline.stats().connections, 0);
});
