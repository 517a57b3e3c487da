import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePort } from '../../bench/lib/free-port.js';
import { encodeAcap } from '../../src/protocol/encode.js';
import { type LinkState, NeighbourLink } from '../../src/search/neighbour-link.js';
import { type Script, ScriptedNode, until } from '../net/scripted-node.js';
import { atEnd } from '../support/clean-up.js';
import { ManualClock } from '../support/manual-clock.js';

const HELLO = Buffer.from('HELO');
const text = (message: string) => Buffer.from(message);
const keeping: Script = (socket, request) => {
  if (request === 'CAPS') socket.write(encodeAcap(['KEEP', 'QUER']));
};
const closing: Script = (socket) => socket.destroy();

function linkTo(t: TestContext, port: number) {
  const clock = new ManualClock();
  const states: LinkState[] = [];
  const link = new NeighbourLink({
    ...{ host: '127.0.0.1', port, localAddress: undefined, clock, greeting: HELLO },
    // Waits are as long as they can be.
    random: () => 1,
    changed: ({ state }) => states.push(state),
  });
  atEnd(t, () => {
    link.stop();
    return until(() => clock.pending.length === 0);
  });
  return { link, clock, states };
}

test('a node of ours is greeted first, then gets what waited, all on one connection', async (t) => {
  const node = await ScriptedNode.start(t, keeping);
  const { link, states } = linkTo(t, node.port);
  link.start();
  assert.equal(link.state, 'connecting');
  for (const message of ['QUE1', 'QUE2']) assert.ok(link.send(text(message)));
  await until(() => link.state === 'kept');
  assert.ok(link.send((ip) => text(ip === '127.0.0.1' ? 'SELF' : 'ELSE')));
  await until(() => node.seen[0]!.length === 6);
  assert.deepEqual(node.seen, [['CAPS', 'CAPS', 'HELO', 'QUE1', 'QUE2', 'SELF']]);
  assert.deepEqual([states, link.capabilities, link.ip], [['kept'], ['KEEP', 'QUER'], '127.0.0.1']);
});

test('a node that closes each connection gets each message on one of its own', async (t) => {
  const node = await ScriptedNode.start(t, closing);
  const { link } = linkTo(t, node.port);
  link.start();
  assert.ok(link.send(text('QUE1')));
  await until(() => link.state === 'plain');
  assert.ok(link.send(text('QUE2')));
  await until(() => node.seen.filter((requests) => requests.length > 0).length === 4);
  assert.deepEqual(node.seen[0], ['CAPS']);
  assert.deepEqual(node.seen.slice(1).flat().sort(), ['HELO', 'QUE1', 'QUE2']);
  assert.deepEqual([link.usable, link.line, link.failures], [true, null, 0]);
});

test('sixty-four messages wait for the first connection, and no more', async (t) => {
  const node = await ScriptedNode.start(t, () => {});
  const { link } = linkTo(t, node.port);
  link.start();
  for (let n = 0; n < 64; n++) assert.ok(link.send(text('QUER')));
  assert.equal(link.send(text('QUER')), false);
});

test('one that cannot be reached is tried again after pauses that double up to a minute', async (t) => {
  const { link, clock } = linkTo(t, await freePort());
  link.start();
  const waits: number[] = [];
  for (let failures = 1; failures <= 8; failures++) {
    await until(() => link.failures === failures);
    assert.deepEqual([link.state, link.send(text('QUER'))], ['away', false]);
    const [wait] = clock.pending;
    waits.push(wait!);
    clock.advance(wait!);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test('a connection that lasted is made anew at once, one that did not is a failure', async (t) => {
  const node = await ScriptedNode.start(t, keeping);
  const { link, clock } = linkTo(t, node.port);
  link.start();
  await until(() => link.state === 'kept');
  clock.advance(5_000);
  node.sockets[0]!.destroy();
  await until(() => node.sockets.length === 2 && link.state === 'kept');
  assert.equal(link.failures, 0);
  node.sockets[1]!.destroy();
  await until(() => link.state === 'away');
  assert.equal(link.failures, 1);
  clock.advance(1_000);
  await until(() => link.state === 'kept');
  assert.equal(link.failures, 1, 'so that one which closes each time goes in the end');
});

test('a plain node is asked again after an hour what it can', async (t) => {
  let isOurs = false;
  const node = await ScriptedNode.start(t, (...asked) => (isOurs ? keeping : closing)(...asked));
  const { link, clock } = linkTo(t, node.port);
  link.start();
  await until(() => link.state === 'plain' && node.seen.flat().includes('HELO'));
  isOurs = true;
  clock.advance(3_600_000);
  await until(() => link.state === 'kept');
  assert.deepEqual(link.capabilities, ['KEEP', 'QUER']);
});

test('a plain node that is gone is away, and what cannot be brought there is not kept', async (t) => {
  const node = await ScriptedNode.start(t, closing);
  const { link } = linkTo(t, node.port);
  link.start();
  await until(() => link.state === 'plain' && node.seen.flat().includes('HELO'));
  await node.close();
  assert.ok(link.send(text('QUER')));
  await until(() => link.state === 'away');
  assert.equal(link.failures, 1);
});

test('a link that is stopped while it connects leaves nothing', async (t) => {
  const node = await ScriptedNode.start(t, keeping);
  const { link, clock, states } = linkTo(t, node.port);
  link.start();
  link.send(text('QUER'));
  link.stop();
  assert.deepEqual([clock.pending, states], [[], []]);
});
