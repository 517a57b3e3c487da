import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.js';
import { ProtocolError } from '../../src/core/errors.js';
import { Connection, type ConnectionInit } from '../../src/net/connection.js';
import type { ExchangeFailure } from '../../src/net/exchange.js';
import { atEnd } from '../support/clean-up.js';
import { seededBytes, seededRandom } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { type Expectation, ExpectedAnswer } from './expected-answer.js';
import { type Script, ScriptedNode, until } from './scripted-node.js';

interface Rig {
  readonly node: ScriptedNode;
  readonly connection: Connection;
  /** Why the connection ended, one entry for each call of `closed`. */
  readonly ends: ExchangeFailure[];
  send(request: string, length: number, expectation?: Expectation): ExpectedAnswer;
}

async function connected(t: TestContext, script: Script, more: Partial<ConnectionInit> = {}): Promise<Rig> {
  const node = await ScriptedNode.start(t, script);
  const ends: ExchangeFailure[] = [];
  let opened = () => {};
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const init = { host: '127.0.0.1', port: node.port, clock: systemClock, opened, ...more };
  const connection = new Connection({ ...init, closed: (end) => ends.push(end) }).open();
  atEnd(t, () => connection.destroy());
  await open;
  const send = (request: string, length: number, expectation: Expectation = {}) => {
    const answer = new ExpectedAnswer(request, length, expectation);
    connection.send(answer);
    return answer;
  };
  return { node, connection, ends, send };
}

/** Answers each request with itself. */
const echo: Script = (socket, request) => socket.write(request);
const silent: Script = () => {};

async function byteByByte(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    socket.write(Uint8Array.of(byte));
    await setImmediate();
  }
}

test('answers land whole in the order of the requests', async (t) => {
  const { send, connection } = await connected(t, echo);
  const answers = ['aaaa', 'bbbb', 'cccc'].map((request) => send(request, 4));
  assert.equal(connection.pending, 3);
  assert.deepEqual(await Promise.all(answers.map(({ over }) => over)), [null, null, null]);
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['aaaa', 'bbbb', 'cccc'],
  );
  assert.equal(connection.pending, 0);
});

test('answers that come byte by byte are whole', async (t) => {
  const content = seededBytes('segments', 300);
  const { send } = await connected(t, (socket, _, nth) => {
    if (nth === 1) void byteByByte(socket, content);
  });
  const first = send('aaaa', 100);
  const second = send('bbbb', 200);
  assert.equal(await first.over, null);
  assert.equal(await second.over, null);
  assert.deepEqual(Buffer.concat([first.bytes, second.bytes]), content);
});

test('the first bytes of an answer that was asked for after an idle time are not lost', async (t) => {
  const content = seededBytes('idle', 1_000);
  const { send } = await connected(t, (socket, _, nth) => socket.write(nth === 0 ? 'once' : content));
  assert.equal(await send('aaaa', 4).over, null);
  await setImmediate();
  const late = send('bbbb', 1_000);
  assert.equal(await late.over, null);
  assert.deepEqual(late.bytes, content);
  assert.ok(late.landings > 1, 'it came by way of the scratch');
});

test('short answers that arrive together after an idle time go to the exchanges they belong to', async (t) => {
  const { send } = await connected(t, (socket, _, nth) => {
    if (nth === 0) socket.write('once');
    if (nth === 3) socket.write('123456789abc');
  });
  assert.equal(await send('aaaa', 4).over, null);
  await setImmediate();
  const answers = [3, 4, 5].map((length) => send('more', length));
  for (const { over } of answers) assert.equal(await over, null);
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['123', '4567', '89abc'],
  );
});

test('a large answer arrives byte for byte however it is paused', async (t) => {
  const content = seededBytes('paused', 4_000_000);
  const random = seededRandom('pauses');
  const { send } = await connected(t, (socket) => socket.write(content));
  const resumed = { here: 0, later: 0 };
  const landed = (_: ExpectedAnswer, connection: { resume(): void }) => {
    const choice = random();
    if (choice < 0.3) return 'more';
    if (choice < 0.5) {
      resumed.here++;
      connection.resume();
    } else {
      resumed.later++;
      void setImmediate().then(() => connection.resume());
    }
    return 'pause';
  };
  const first = send('aaaa', 1_500_000, { landed, piece: 30_000 });
  const second = send('bbbb', 2_500_000, { landed, piece: 50_000 });
  assert.equal(await first.over, null);
  assert.equal(await second.over, null);
  assert.ok(Buffer.concat([first.bytes, second.bytes]).equals(content));
  assert.ok(resumed.here > 10 && resumed.later > 20);
});

test('bytes that wait in the scratch of a paused connection are neither lost nor overtaken', async (t) => {
  const { send } = await connected(t, (socket, _, nth) => {
    if (nth === 0) socket.write('once');
    if (nth === 2) socket.write('0123456789abcdefghijklmnopqrstuvwxyz');
  });
  assert.equal(await send('aaaa', 4).over, null);
  await setImmediate();
  const pausing = {
    piece: 3,
    landed: (_: ExpectedAnswer, connection: { resume(): void }): 'pause' => {
      void setImmediate().then(() => connection.resume());
      return 'pause';
    },
  };
  const first = send('bbbb', 17, pausing);
  const second = send('cccc', 19, pausing);
  assert.equal(await first.over, null);
  assert.equal(await second.over, null);
  assert.equal(first.text + second.text, '0123456789abcdefghijklmnopqrstuvwxyz');
});

test('after a pause the bytes land in the buffer that was asked for right after it', async (t) => {
  const { send } = await connected(t, (socket) => socket.write('0123456789abcdefghijklmnopqrst'));
  const asked: string[] = [];
  const answer = send('aaaa', 30, {
    piece: 10,
    landed: (_, connection) => {
      void setImmediate().then(() => {
        asked.push('resume');
        connection.resume();
      });
      return 'pause';
    },
  });
  const { buffer } = answer;
  answer.buffer = () => {
    asked.push(`buffer at ${answer.at}`);
    return buffer.call(answer);
  };
  assert.equal(await answer.over, null);
  assert.equal(answer.text, '0123456789abcdefghijklmnopqrst');
  assert.deepEqual(asked.slice(-4), ['buffer at 10', 'resume', 'buffer at 20', 'resume']);
});

test('paused time counts as no silence', async (t) => {
  const clock = new ManualClock();
  const { send } = await connected(t, (socket) => socket.write('headbody'), { clock });
  let resume = () => {};
  const answer = send('aaaa', 8, {
    piece: 4,
    landed: (_, connection) => {
      resume = () => connection.resume();
      return 'pause';
    },
  });
  await until(() => answer.at === 4);
  clock.advance(1_000_000);
  assert.equal(answer.ends, 0);
  resume();
  assert.equal(await answer.over, null);
});

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

test('an answer that becomes whole while its exchange ends the connection is not failed', async (t) => {
  const rig = await connected(t, echo);
  const head = rig.send('aaaa', 4, { whole: () => rig.connection.destroy() });
  const behind = rig.send('bbbb', 4);
  assert.equal(await head.over, null);
  assert.equal((await behind.over)?.kind, 'aborted');
  assert.deepEqual([head.ends, behind.ends], [1, 1]);
  assert.equal(rig.ends.length, 1);
});

test('an exchange sent from inside the end of the one before needs no second look at the socket', async (t) => {
  const answered: string[] = [];
  const rig: Rig = await connected(t, echo, {
    answered: (exchange) => {
      answered.push(Buffer.from(exchange.request).toString());
      if (answered.length < 50) rig.send(`n${100 + answered.length}`, 4);
    },
  });
  rig.send('n100', 4);
  await until(() => answered.length === 50);
  assert.deepEqual(answered.slice(0, 3), ['n100', 'n101', 'n102']);
  assert.equal(rig.ends.length, 0);
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

test('both ends of the connection are known while it is there', async (t) => {
  const { node, connection } = await connected(t, silent, { localAddress: '127.0.0.2' });
  assert.equal(connection.local?.ip, '127.0.0.2');
  await until(() => node.sockets.length === 1);
  assert.equal(connection.local.port, node.sockets[0]!.remotePort);
  assert.deepEqual(connection.remote, { ip: '127.0.0.1', port: node.port });
  connection.destroy();
  assert.equal(connection.local, null);
});
