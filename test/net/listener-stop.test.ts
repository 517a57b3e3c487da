import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../../src/net/listener.js';
import { ManualClock } from '../support/manual-clock.js';
import { HeldAnswers, listening, numbers } from './listening.js';
import { RequestClient, retp, retps } from './request-client.js';
import { until } from './scripted-node.js';

test('stop finishes the requests whose handlers run, and no others', async (t) => {
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler);
  const client = await RequestClient.open(t, port);
  const idle = await RequestClient.open(t, port);
  client.write(retps(1, 2, 3, 4, 5));
  await until(() => listener.stats().waiting === 1);
  const stopped = listener.stop(60_000);
  assert.equal(listener.stop(0), stopped);
  assert.equal(await idle.readAll(), '');
  client.write(retp(6));
  for (const part of [4, 3, 2, 1]) held.answer(part);
  assert.equal(await client.readAll(), '1234');
  await stopped;
  assert.deepEqual(held.asked, [1, 2, 3, 4]);
  assert.deepEqual(listener.stats().closed, { stopped: 2 });
  const late = await RequestClient.open(t, port);
  assert.equal(await late.readAll(), '');
});

test('a handler may stop the listener, and is answered', async (t) => {
  const stops: Promise<void>[] = [];
  const { listener, port } = await listening(t, () => {
    stops.push(listener.stop(60_000));
    return Buffer.from('stopping');
  });
  const client = await RequestClient.open(t, port);
  client.write(retps(1, 2));
  assert.equal(await client.readAll(), 'stopping');
  await stops[0];
  assert.equal(stops.length, 1);
});

test('stop closes a connection that was not being read', async (t) => {
  const clock = new ManualClock();
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retps(...Array.from({ length: 3_000 }, (_, n) => n)));
  await until(() => listener.stats().waiting === 64);
  const stopped = listener.stop(10_000);
  for (const part of [0, 1, 2, 3]) held.answer(part);
  assert.equal(await client.readAll(), '0123');
  await stopped;
});

test('stop cuts off at its deadline what does not end', async (t) => {
  const clock = new ManualClock();
  const held = new HeldAnswers();
  const { listener, port } = await listening(t, held.handler, { clock });
  const client = await RequestClient.open(t, port);
  client.write(retp(1));
  await until(() => held.asked.length === 1);
  const stopped = listener.stop(10_000);
  clock.advance(9_999);
  await setImmediate();
  assert.ok(!client.ended);
  clock.advance(1);
  await stopped;
  assert.equal(await client.readAll(), '');
});

test('a listener that was never started stops, and a port in use is told in plain words', async (t) => {
  const { port } = await listening(t, numbers);
  const init = {
    handler: numbers,
    clock: systemClock,
    limits: DEFAULT_LISTENER_LIMITS,
    logger: silentLogger,
  };
  const second = new Listener(init);
  await assert.rejects(second.start({ host: '127.0.0.1', port }), {
    code: 'LISTEN',
    trouble: 'network',
    message: `cannot listen on 127.0.0.1 port ${port}: another program uses that port; stop it or choose another port`,
  });
  await second.stop(0);
  await new Listener(init).stop(0);
});
