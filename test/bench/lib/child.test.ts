import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Child } from '../../../bench/lib/child.js';
import { cpuSeconds, exitedChildrenCpuSeconds, peakBytes } from '../../../bench/lib/process-cost.js';
import { requirePresent } from '../../support/requires.js';

async function node(t: TestContext, code: string): Promise<Child> {
  const child = await Child.start('node', process.execPath, ['-e', code]);
  t.after(() => child.end());
  return child;
}

const STAYS = 'setInterval(() => {}, 1000);';

test('a line is found whether it came before or comes after the question', async (t) => {
  const child = await node(t, "console.log('one'); console.log('two'); process.stdout.write('rest')");
  assert.equal(await child.line((line) => (line === 'two' ? line : null), 10_000), 'two');
  assert.equal(await child.line((line) => (line === 'one' ? line : null), 10_000), 'one');
  assert.equal(await child.line((line) => (line === 'rest' ? line : null), 10_000), 'rest');
  assert.equal((await child.exited).code, 0);
});

test('a line that cannot come any more is an error that shows what was printed', async (t) => {
  const child = await node(t, "console.log('hello'); console.error('trouble')");
  await assert.rejects(
    child.line(() => null, 10_000),
    /no such line to the end[\s\S]*hello[\s\S]*trouble/,
  );
});

test('a line that does not come in time is an error', async (t) => {
  const child = await node(t, STAYS);
  await assert.rejects(
    child.line(() => null, 50),
    /no such line in time/,
  );
  await assert.rejects(child.exit(50), /did not exit within 50 ms/);
});

test('end stops a process, also one that ignores SIGTERM', async (t) => {
  const polite = await node(t, `console.log('up'); ${STAYS}`);
  await polite.line((line) => line || null, 10_000);
  assert.equal((await polite.end()).signal, 'SIGTERM');
  const stubborn = await node(t, `process.on('SIGTERM', () => {}); console.log('up'); ${STAYS}`);
  await stubborn.line((line) => line || null, 10_000);
  assert.equal((await stubborn.end(100)).signal, 'SIGKILL');
});

test('a program that is not there is an error at the start', async () => {
  await assert.rejects(Child.start('none', '/nonexistent/program', []), { code: 'ENOENT' });
});

test('a child that was not ended is killed when the process that started it exits', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const inner = `require('net').connect(${(server.address() as AddressInfo).port}, '127.0.0.1')`;
  const library = new URL('../../../bench/lib/child.js', import.meta.url).href;
  const parent = await node(
    t,
    `import('${library}').then(async ({ Child }) => {
       await Child.start('inner', process.execPath, ['-e', ${JSON.stringify(inner)}]);
       process.on('SIGTERM', () => process.exit(3));
       console.log('up');
       ${STAYS}
     })`,
  );
  const [held] = (await once(server, 'connection')) as [Socket];
  const closed = once(held.on('error', () => {}).resume(), 'close');
  assert.equal((await parent.end()).code, 3);
  await closed;
});

test('the cost of a process is seen while it runs and after it has exited', async (t) => {
  if (!requirePresent(t, '/proc', cpuSeconds(process.pid) !== null)) return;
  const before = exitedChildrenCpuSeconds()!;
  const busy = 'const end = Date.now() + 200; while (Date.now() < end);';
  const child = await node(
    t,
    `const held = Buffer.alloc(64e6, 1); ${busy} console.log(held.length); ${STAYS}`,
  );
  await child.line((line) => line || null, 10_000);
  assert.ok(cpuSeconds(child.pid)! > 0.05);
  assert.ok(peakBytes(child.pid)! > 64e6);
  await child.end();
  assert.ok(exitedChildrenCpuSeconds()! - before > 0.05);
  assert.equal(peakBytes(child.pid), null);
});
