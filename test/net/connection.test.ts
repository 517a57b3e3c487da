import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { seededBytes, seededRandom } from '../support/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { type ConnectionRig, connected } from './connection-rig.js';
import type { ExpectedAnswer } from './expected-answer.js';
import { type Script, until } from './scripted-node.js';

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

test('an exchange sent from inside the end of the one before needs no second look at the socket', async (t) => {
  const answered: string[] = [];
  const rig: ConnectionRig = await connected(t, echo, {
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

test('both ends of the connection are known while it is there', async (t) => {
  const { node, connection } = await connected(t, silent, { localAddress: '127.0.0.2' });
  assert.equal(connection.local?.ip, '127.0.0.2');
  await until(() => node.sockets.length === 1);
  assert.equal(connection.local.port, node.sockets[0]!.remotePort);
  assert.deepEqual(connection.remote, { ip: '127.0.0.1', port: node.port });
  connection.destroy();
  assert.equal(connection.local, null);
});
