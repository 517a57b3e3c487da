import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { decodeAcap } from '../../src/protocol/answers.js';
import { encodeAcap } from '../../src/protocol/encode.js';
import { KeptLine, type LineEnd } from '../../src/search/kept-line.js';
import { type Script, ScriptedNode, until } from '../net/scripted-node.js';
import { ManualClock } from '../support/manual-clock.js';

const KEEPS = encodeAcap(['KEEP', 'QUER']);
const keeping: Script = (socket, request) => {
  if (request === 'CAPS') socket.write(KEEPS);
};

interface Watched {
  readonly line: KeptLine;
  readonly clock: ManualClock;
  readonly capabilities: string[];
  readonly ends: LineEnd[];
}

function lineTo(port: number, idleMs: number | null = null, clock = new ManualClock()): Watched {
  const capabilities: string[] = [];
  const ends: LineEnd[] = [];
  const line = new KeptLine({
    ...{ host: '127.0.0.1', port, localAddress: '127.0.0.7', clock, idleMs },
    kept: (_line, names) => capabilities.push(...names),
    ended: (end) => ends.push(end),
  });
  return { line, clock, capabilities, ends };
}

async function keptLine(t: TestContext, script: Script, idleMs: number | null = null) {
  const node = await ScriptedNode.start(t, script);
  const watched = lineTo(node.port, idleMs);
  await until(() => watched.capabilities.length > 0);
  return { node, ...watched };
}

const text = (message: string) => Buffer.from(message);

test('only CAPS is sent before the node has said that it keeps connections', async (t) => {
  const answers: Socket[] = [];
  const node = await ScriptedNode.start(t, (socket) => answers.push(socket));
  const { line, capabilities } = lineTo(node.port);
  assert.equal(line.send(text('QUER')), false);
  await until(() => answers.length === 1);
  assert.equal(line.send(text('QUER')), false);
  answers[0]!.write(KEEPS);
  await until(() => capabilities.length > 0);
  assert.deepEqual(capabilities, ['KEEP', 'QUER']);
  assert.deepEqual([line.localIp, line.remoteIp], ['127.0.0.7', '127.0.0.1']);
  for (const message of ['QUE1', 'QUE2', 'QUE3']) assert.ok(line.send(text(message)));
  // The second CAPS is what makes the node keep the connection.
  await until(() => node.seen[0]!.length === 5);
  assert.deepEqual(node.seen, [['CAPS', 'CAPS', 'QUE1', 'QUE2', 'QUE3']]);
  line.close();
});

test('a node that closes, keeps nothing, says nothing or talks nonsense after CAPS is plain', async (t) => {
  const plain: Script[] = [
    (socket) => socket.end(),
    (socket) => socket.write(encodeAcap(['DELR'])),
    (socket) => socket.write('What is that?'),
    () => {},
  ];
  for (const [n, script] of plain.entries()) {
    const node = await ScriptedNode.start(t, script);
    const { line, clock, ends } = lineTo(node.port);
    if (n === 3) {
      await until(() => node.seen[0]?.length === 1);
      clock.advance(9_999);
      assert.deepEqual(ends, []);
      clock.advance(1);
    }
    await until(() => ends.length > 0);
    assert.deepEqual(ends, ['plain'], `script ${n}`);
    assert.equal(line.send(text('QUER')), false);
    assert.deepEqual(clock.pending, []);
  }
});

test('where nobody listens the node is unreachable, and where nobody answers the connection, too', async (t) => {
  const node = await ScriptedNode.start(t, () => {});
  const { port } = node;
  const refused = lineTo(1);
  await until(() => refused.ends.length > 0);
  assert.deepEqual(refused.ends, ['unreachable']);
  const slow = lineTo(port);
  slow.clock.advance(5_000);
  assert.deepEqual(slow.ends, ['unreachable']);
  assert.deepEqual([refused.clock.pending, slow.clock.pending], [[], []]);
});

test('a line that stays asks CAPS every 45 s, and ends when the answer does not come', async (t) => {
  let isDeaf = false;
  const { node, line, clock, ends } = await keptLine(t, (socket, request) => {
    if (!isDeaf && request === 'CAPS') socket.write(KEEPS);
  });
  await clock.whenPending(44_000, 45_000);
  clock.advance(45_000);
  await until(() => node.seen[0]!.length === 3);
  await clock.whenPending(44_000, 45_000);
  isDeaf = true;
  clock.advance(45_000);
  await until(() => node.seen[0]!.length === 4);
  clock.advance(10_000);
  assert.deepEqual(ends, ['ended']);
  assert.equal(line.send(text('QUER')), false);
});

test('a line for some answers ends when none was sent for a while', async (t) => {
  const { node, line, clock, ends } = await keptLine(t, keeping, 3_000);
  clock.advance(2_000);
  assert.ok(line.send(text('AQUE')));
  await until(() => node.seen[0]!.length === 2);
  clock.advance(2_999);
  assert.deepEqual(ends, []);
  clock.advance(1);
  assert.deepEqual(ends, ['ended']);
  assert.deepEqual(node.seen, [['CAPS', 'AQUE']]);
  assert.deepEqual(clock.pending, []);
});

test('questions are answered in the order in which they were asked, in whatever pieces the answers come', async (t) => {
  const { line } = await keptLine(t, (socket, request) => {
    if (request === 'CAPS') socket.write(KEEPS);
    else if (request === 'ASK2') {
      const both = Buffer.concat([encodeAcap(['ONE_']), encodeAcap(['TWO_', 'TOO_'])]);
      socket.write(both.subarray(0, 9));
      socket.write(both.subarray(9));
    }
  });
  const answers: (readonly string[])[] = [];
  for (const question of ['ASK1', 'ASK2'])
    line.ask(text(question), decodeAcap(), (names) => answers.push(names));
  await until(() => answers.length === 2);
  assert.deepEqual(answers, [['ONE_'], ['TWO_', 'TOO_']]);
  line.close();
});

test('a node that says what was not asked is not listened to', async (t) => {
  const { line, ends } = await keptLine(t, (socket, request) => {
    socket.write(request === 'CAPS' ? KEEPS : 'and another thing');
  });
  assert.ok(line.send(text('QUER')));
  await until(() => ends.length > 0);
  assert.deepEqual(ends, ['ended']);
});

test('a node that reads nothing gets a megabyte and no more', async (t) => {
  const { node, line, clock } = await keptLine(t, keeping);
  node.sockets[0]!.pause();
  const message = Buffer.alloc(16_384);
  let sent = 0;
  // What the kernel takes is not counted, so it comes to an end only when that is full.
  while (line.send(message)) {
    sent += message.length;
    assert.ok(sent < 64 * 1_048_576);
    await setImmediate();
  }
  assert.ok(sent >= 1_048_576 - message.length);
  line.close();
  assert.deepEqual(clock.pending, []);
});

test('a line that is closed tells nobody', async (t) => {
  const { line, clock, ends } = await keptLine(t, keeping);
  line.ask(text('CAPS'), decodeAcap(), () => assert.fail('answered'));
  line.close();
  line.close();
  assert.equal(line.send(text('QUER')), false);
  await setImmediate();
  assert.deepEqual([ends, clock.pending], [[], []]);
});
