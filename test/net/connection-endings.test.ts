import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { ProtocolError } from '../../src/core/errors.js';
import { Connection } from '../../src/net/connection.js';
import type { ExchangeFailure } from '../../src/net/exchange.js';
import { ManualClock } from '../support/manual-clock.js';
import { connected } from './connection-rig.js';
import { ExpectedAnswer } from './expected-answer.js';
import { type Script, ScriptedNode, until } from './scripted-node.js';

/** Answers each request with itself. */
const echo: Script = (socket, request) => socket.write(request);
const silent: Script = () => {};

test('bytes that nobody asked for end the connection', async (t) => {
  const { node, ends } = await connected(t, silent);
  await until(() => node.sockets.length === 1);
  node.sockets[0]!.write('x');
  await until(() => ends.length === 1);
  assert.equal(ends[0]!.kind, 'protocol');
  assert.equal(ends[0]!.error?.code, 'UNASKED');
});

test('bytes behind the last answer end the connection, and the answer stays whole', async (t) => {
  const { send, ends } = await connected(t, (socket) => socket.write('answer+'));
  const answer = send('aaaa', 6);
  assert.equal(await answer.over, null);
  await until(() => ends.length === 1);
  assert.equal(ends[0]!.kind, 'protocol');
  assert.equal(answer.ends, 1);
});

/** Each way to end; what the exchange at the head is told, and with another `begun` the one behind it. */
const endings: {
  name: string;
  answer: string;
  end: (socket: Socket) => void;
  kind: ExchangeFailure['kind'];
}[] = [
  { name: 'a close without a byte', answer: '', end: (socket) => socket.end(), kind: 'refused' },
  { name: 'a close inside an answer', answer: 'half', end: (socket) => socket.end(), kind: 'cut' },
  { name: 'a reset before an answer', answer: '', end: (socket) => socket.resetAndDestroy(), kind: 'reset' },
  {
    name: 'a reset inside an answer',
    answer: 'half',
    end: (socket) => socket.resetAndDestroy(),
    kind: 'reset',
  },
];
for (const { name, answer, end, kind } of endings) {
  test(`${name} fails the pending exchanges as ${kind}`, async (t) => {
    const { send, ends, node } = await connected(t, (socket, _, nth) => {
      if (nth === 0) socket.write(answer);
    });
    const head = send('aaaa', 8);
    const behind = send('bbbb', 8);
    await until(() => head.at === answer.length && node.seen[0]?.length === 2);
    end(node.sockets[0]!);
    const told = await head.over;
    assert.deepEqual([told?.kind, told?.begun], [kind, answer.length > 0]);
    const alsoTold = await behind.over;
    assert.deepEqual([alsoTold?.kind, alsoTold?.begun], [kind, false]);
    assert.deepEqual(
      ends.map((ended) => ended.kind),
      [kind],
    );
    assert.deepEqual([head.ends, behind.ends], [1, 1]);
  });
}

test('a port where nobody listens fails to connect', async (t) => {
  const node = await ScriptedNode.start(t, silent);
  const { port } = node;
  const answer = new ExpectedAnswer('aaaa', 4);
  const connection = new Connection({ host: '127.0.0.2', port, clock: systemClock });
  connection.open().send(answer);
  const failure = await answer.over;
  assert.equal(failure?.kind, 'connect');
  assert.equal(failure.error?.code, 'ECONNREFUSED');
});

test('a connection that takes 5 s to come fails', async (t) => {
  const clock = new ManualClock();
  const node = await ScriptedNode.start(t, silent);
  const answer = new ExpectedAnswer('aaaa', 4);
  const connection = new Connection({ host: '127.0.0.1', port: node.port, clock });
  connection.open().send(answer);
  clock.advance(4_999);
  assert.equal(answer.ends, 0);
  clock.advance(1);
  assert.equal((await answer.over)?.kind, 'connect');
});

test('silence before the first byte and inside the answer have limits of their own', async (t) => {
  const clock = new ManualClock();
  const mute = await connected(t, silent, { clock });
  const unanswered = mute.send('aaaa', 4, { firstByteMs: 7_000 });
  clock.advance(6_999);
  assert.equal(unanswered.ends, 0);
  clock.advance(1);
  assert.deepEqual(await unanswered.over, { kind: 'first-byte-timeout', begun: false });

  const stalling = await connected(t, (socket) => socket.write('ab'), { clock });
  const stalled = stalling.send('aaaa', 4, { firstByteMs: 7_000, stallMs: 2_000 });
  await until(() => stalled.at === 2);
  clock.advance(1_999);
  assert.equal(stalled.ends, 0);
  clock.advance(1);
  assert.deepEqual(await stalled.over, { kind: 'stall', begun: true });
});

test('the limits are 40 s for the first byte and 15 s after it unless the exchange says otherwise', async (t) => {
  const clock = new ManualClock();
  const { send, node } = await connected(t, silent, { clock });
  const answer = send('aaaa', 4);
  clock.advance(39_999);
  await until(() => node.sockets.length === 1);
  node.sockets[0]!.write('ab');
  await until(() => answer.at === 2);
  clock.advance(14_999);
  assert.equal(answer.ends, 0);
  clock.advance(1);
  assert.equal((await answer.over)?.kind, 'stall');
});

test('the clock of the first byte starts when the answers before are whole', async (t) => {
  const clock = new ManualClock();
  const { send, node } = await connected(t, silent, { clock });
  const first = send('aaaa', 4, { firstByteMs: 10_000 });
  clock.advance(9_000);
  const second = send('bbbb', 4, { firstByteMs: 10_000 });
  await until(() => node.seen[0]?.length === 2);
  node.sockets[0]!.write('aaaa');
  assert.equal(await first.over, null);
  clock.advance(9_999);
  assert.equal(second.ends, 0);
  clock.advance(1);
  assert.equal((await second.over)?.kind, 'first-byte-timeout');
});

test('a request sent behind another gives it no more time', async (t) => {
  const clock = new ManualClock();
  const { send } = await connected(t, silent, { clock });
  const first = send('aaaa', 4, { firstByteMs: 10_000 });
  clock.advance(9_000);
  send('bbbb', 4, { firstByteMs: 10_000 });
  clock.advance(1_000);
  assert.equal((await first.over)?.kind, 'first-byte-timeout');
});

test('a ProtocolError of the exchange ends the connection and is passed on', async (t) => {
  const { send, ends } = await connected(t, (socket) => socket.write('prose'));
  const error = new ProtocolError('NOT_AREP', 'prose');
  const answer = send('aaaa', 8, {
    landed: () => {
      throw error;
    },
  });
  assert.deepEqual(await answer.over, { kind: 'protocol', begun: true, error });
  assert.equal(ends.length, 1);
});

test('destroy fails what is pending, and then the connection has ended', async (t) => {
  const { send, connection, ends } = await connected(t, silent);
  const answers = [send('aaaa', 4), send('bbbb', 4)];
  connection.destroy();
  for (const { over } of answers) assert.deepEqual(await over, { kind: 'aborted', begun: false });
  assert.deepEqual(ends, [{ kind: 'aborted', begun: false }]);
  connection.resume();
  connection.destroy();
  assert.equal(ends.length, 1);
  assert.throws(() => connection.send(new ExpectedAnswer('cccc', 4)), { code: 'INVARIANT' });
});

test('a node is told by a reset that its answer is not wanted any more, and by an end that nothing is asked', async (t) => {
  const told: string[] = [];
  const listens: Script = (socket) => {
    socket.on('end', () => told.push('end'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => told.push(code!));
  };
  const given = await connected(t, listens);
  const unwanted = given.send('aaaa', 4);
  await until(() => given.node.seen[0]?.length === 1);
  given.connection.destroy();
  assert.equal((await unwanted.over)?.kind, 'aborted');
  await until(() => told.length === 1);

  const idle = await connected(t, (socket, request, nth, connection) => {
    listens(socket, request, nth, connection);
    socket.write(request);
  });
  assert.equal(await idle.send('aaaa', 4).over, null);
  idle.connection.destroy();
  await until(() => told.length === 2);
  assert.deepEqual(told, ['ECONNRESET', 'end']);
});

test('an answer that becomes whole while its exchange ends the connection is not failed', async (t) => {
  const rig = await connected(t, echo);
  const head = rig.send('aaaa', 4, { whole: () => rig.connection.destroy() });
  const behind = rig.send('bbbb', 4);
  assert.equal(await head.over, null);
  assert.equal((await behind.over)?.kind, 'aborted');
  assert.deepEqual([head.ends, behind.ends], [1, 1]);
  assert.equal(rig.ends.length, 1);
});

test('an idle connection closes by itself when told to', async (t) => {
  const clock = new ManualClock();
  const { send, connection, ends } = await connected(t, echo, { clock });
  connection.closeWhenIdleFor(900);
  clock.advance(800);
  assert.equal(await send('aaaa', 4).over, null);
  clock.advance(899);
  assert.equal(ends.length, 0);
  clock.advance(1);
  assert.deepEqual(ends, [{ kind: 'aborted', begun: false }]);
});
