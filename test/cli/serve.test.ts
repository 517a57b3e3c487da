import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Output } from '../../src/cli/output.js';
import { firstFree, listening, serve } from '../../src/cli/serve.js';
import { StopRequest } from '../../src/cli/stop-request.js';
import { OperationalError } from '../../src/core/errors.js';
import { tempFolder } from '../support/files.js';
import { FakeScreen } from './fake-screen.js';

const HERE = { host: '127.0.0.1', port: 3000 };
const inUse = () =>
  new OperationalError('network', 'LISTEN', 'taken', {
    cause: Object.assign(new Error('x'), { code: 'EADDRINUSE' }),
  });

function host(env: NodeJS.ProcessEnv = {}) {
  const stderr = new FakeScreen();
  return { output: new Output(new FakeScreen(), stderr, env), stop: new StopRequest(), env, stderr };
}

describe('a service', () => {
  test('runs until the command is asked to stop, then stops and leaves its counters', async (t) => {
    const file = join(await tempFolder(t), 'stats.json');
    const { output, stop, env, stderr } = host({ BUGTORRENT_STATS: file });
    const steps: string[] = [];
    const service = { stop: async () => void steps.push('stopped'), stats: () => ({ steps }) };
    const served = serve(
      async () => {
        steps.push('started');
        return service;
      },
      { output, stop, env },
    );
    stop.make('SIGTERM');
    await served;
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { steps: ['started', 'stopped'] });
    assert.match(stderr.written, /^stopping; [^\n]*\n$/);
  });

  test('that fails to start or to stop fails the command', async () => {
    const { output, stop, env } = host();
    const broken = { stop: () => Promise.reject(new Error('stop')), stats: () => ({}) };
    await assert.rejects(
      serve(() => Promise.reject(new Error('start')), { output, stop, env }),
      /start/,
    );
    const served = serve(async () => broken, { output, stop, env });
    stop.make('SIGTERM');
    await assert.rejects(served, /stop/);
  });

  test('that hangs is left behind before ten seconds are over, while starting and while stopping', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const never = () => new Promise<never>(() => {});
    for (const start of [never, async () => ({ stop: never, stats: () => ({}) })]) {
      const { output, stop, env } = host();
      let over = false;
      const served = serve(start, { output, stop, env }).then(() => {
        over = true;
      });
      stop.make('SIGTERM');
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
      t.mock.timers.tick(9_000);
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
      assert.equal(over, false);
      t.mock.timers.tick(999);
      await served;
    }
  });

  test('may stop for as long as it takes when the user is patient', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { output, stop, env } = host();
    let stopped = () => {};
    const service = {
      stop: () =>
        new Promise<void>((resolve) => {
          stopped = resolve;
        }),
      stats: () => ({}),
    };
    let over = false;
    const served = serve(async () => service, { output, stop, env }, true).then(() => {
      over = true;
    });
    stop.make('SIGTERM');
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
    t.mock.timers.tick(60_000);
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
    assert.equal(over, false);
    stopped();
    await served;
  });
});

describe('a port', () => {
  test('that is taken is an error that names the flag for another, all other errors stay what they are', async () => {
    await assert.rejects(
      listening(HERE, '--listen', () => Promise.reject(inUse())),
      /^OperationalError: 127\.0\.0\.1:3000 is in use .* --listen 127\.0\.0\.1:0/,
    );
    const other = new Error('other');
    await assert.rejects(
      listening(HERE, '--listen', () => Promise.reject(other)),
      other,
    );
  });

  test('that is free is found among several', async () => {
    const tried: number[] = [];
    const free = (port: number) => (at: { port: number }) => {
      tried.push(at.port);
      return at.port === port ? Promise.resolve(port) : Promise.reject(inUse());
    };
    const ports = [1, 2, 3].map((port) => ({ ...HERE, port }));
    assert.equal(await firstFree(ports, free(2)), 2);
    assert.deepEqual(tried, [1, 2]);
    await assert.rejects(firstFree(ports, free(4)), /taken/);
    await assert.rejects(
      firstFree(ports, () => Promise.reject(new Error('other'))),
      /other/,
    );
  });
});
