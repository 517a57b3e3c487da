import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { AccessTokens } from '../../../src/http/access-tokens.js';
import { routesOf } from '../../../src/http/api/endpoint.js';
import { fileBytesEndpoints } from '../../../src/http/api/file-bytes.js';
import type { ByteRange } from '../../../src/http/byte-range.js';
import { HttpListener } from '../../../src/http/http-listener.js';
import { atEnd } from '../../support/clean-up.js';
import { soon } from '../../support/soon.js';

const MD5 = '0123456789abcdef0123456789abcdef';
const CHUNK = Buffer.alloc(262_144, 'a');
const SIZE = 400 * CHUNK.length;

/** One file of the letter a, and how many read it. */
class Scene {
  readonly port: number;
  reading = 0;
  begun = 0;
  /** Thrown in place of this byte and those after it. */
  brokenAt = SIZE;
  /** Called before each piece but the first. */
  between: () => void = () => {};

  private constructor(port: number) {
    this.port = port;
  }

  static async start(t: TestContext, stalledMs?: number): Promise<Scene> {
    const tokens = await AccessTokens.open(null, null);
    const listen = { host: '127.0.0.1', port: 0 };
    const listener = new HttpListener({ listen, tokens, clock: systemClock, logger: silentLogger });
    let scene: Scene | null = null;
    const read = (range: ByteRange, { signal }: { signal: AbortSignal }) => scene!.read(range, signal);
    const file = { name: 'a.txt', size: SIZE, read };
    listener.add(routesOf(fileBytesEndpoints({ open: async () => file }, stalledMs)));
    const { port } = await listener.start();
    atEnd(t, () => listener.stop());
    scene = new Scene(port);
    return scene;
  }

  async *read({ start, end }: ByteRange, signal: AbortSignal): AsyncGenerator<readonly Buffer[]> {
    this.begun++;
    this.reading++;
    try {
      for (let at = start; at < end; at += CHUNK.length) {
        if (signal.aborted || at >= this.brokenAt) throw new Error('no more');
        if (at > start) this.between();
        yield [CHUNK.subarray(0, Math.min(CHUNK.length, end - at))];
      }
    } finally {
      this.reading--;
    }
  }

  get(headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}/files/${MD5}`, { headers });
  }

  /** A connection that sends so many requests at once and reads nothing. */
  deaf(requests: number) {
    const socket = connect(this.port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.write(`GET /files/${MD5} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(requests));
    return socket;
  }
}

test('requests behind one that is not read hold nothing, and leave with their connection', async (t) => {
  const scene = await Scene.start(t);
  const socket = scene.deaf(200);
  await soon(() => scene.reading === 1);
  assert.equal((await (await scene.get({ range: 'bytes=0-9' })).text()).length, 10);
  assert.equal(scene.begun, 2);
  const others = scene.deaf(200);
  await soon(async () => (await scene.get({ range: 'bytes=0-9' })).status === 503);
  socket.destroy();
  others.destroy();
  await soon(() => scene.reading === 0);
  await soon(async () => (await scene.get({ range: 'bytes=0-9' })).status === 206);
});

test('a reader that takes nothing is cut off, and one that reads is not', async (t) => {
  const scene = await Scene.start(t, 300);
  const socket = scene.deaf(1);
  await soon(() => scene.reading === 1);
  const whole = await scene.get();
  assert.equal((await whole.arrayBuffer()).byteLength, SIZE);
  await soon(() => scene.reading === 0);
  socket.resume();
  await once(socket, 'close');
});

test('an answer whose bytes cannot be had is cut, so that nobody takes it for whole', async (t) => {
  const scene = await Scene.start(t);
  scene.brokenAt = 2 * CHUNK.length;
  const answer = await scene.get();
  assert.equal(answer.status, 200);
  await assert.rejects(answer.arrayBuffer());
  scene.brokenAt = SIZE;
  assert.equal((await scene.get({ range: 'bytes=-1' })).status, 206);
});

test('a reader whose connection breaks just before the next bytes holds nothing', async (t) => {
  const scene = await Scene.start(t);
  let served: Socket | null = null;
  const begun = (message: unknown) => {
    served = (message as { socket: Socket }).socket;
  };
  subscribe('http.server.request.start', begun);
  t.after(() => unsubscribe('http.server.request.start', begun));
  // As an error of the system does: that it is closed is told later.
  scene.between = () => served?.destroy();
  await assert.rejects(async () => (await scene.get()).arrayBuffer());
  assert.equal(scene.begun, 1);
  await soon(() => scene.reading === 0);
});
