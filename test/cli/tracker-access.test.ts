import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BaseClient } from '../support/base-client.js';
import { tempFolder } from '../support/files.js';
import { TestProgram } from '../support/process.js';

const WITHIN_MS = 20_000;
const file = { md5: 'a'.repeat(32), name: 'dune', size: 10_000, partSize: 4096 };

test('a tracker reads its lists again at SIGHUP; a bad one keeps the old and is one line; it stops in order', async (t) => {
  const folder = await tempFolder(t);
  const list = join(folder, 'denied');
  await writeFile(list, '# nothing yet\n');
  const program = new TestProgram(t, folder);
  for (const command of ['tracker', 'start'] as const) {
    await writeFile(list, '# nothing yet\n');
    const ofStart = ['--tracker-listen', '127.0.0.1:0', '--downloads', join(folder, 'downloads')];
    const tracker = await program.cli(
      command,
      ...['--listen', '127.0.0.1:0', '--deny-files', list, '--session-limit', 'off'],
      ...(command === 'start' ? ofStart : []),
    );
    const [, port] = await tracker.line((line) => /^tracker listening on .*:(\d+)$/.exec(line), WITHIN_MS);
    const peer = new BaseClient({ tracker: { host: '127.0.0.1', port: Number(port) }, port: 5001 });
    await peer.login();
    assert.equal(await peer.addr(file), 3);
    const hangUp = async (content: string, said: RegExp) => {
      await writeFile(list, content);
      const told = tracker.stderr.first((line) => said.exec(line), WITHIN_MS);
      tracker.kill('SIGHUP');
      await told;
    };
    await hangUp(`${file.md5}\noops\n`, /denied:2: 'oops' is not an MD5/);
    assert.deepEqual(await peer.look('*'), [file]);
    await hangUp(`${file.md5}\n`, /"files":1/);
    assert.deepEqual(await peer.look('*'), []);
    assert.equal(await peer.addr(file), null);
    tracker.kill('SIGTERM');
    assert.equal((await tracker.exit(WITHIN_MS)).code, 0);
  }
});

test('SIGHUP ends neither a tracker without lists nor a daemon without a config file', async (t) => {
  const folder = await tempFolder(t);
  const program = new TestProgram(t, folder);
  const flags = { tracker: [], daemon: ['--downloads', join(folder, 'downloads'), '--http', 'off'] };
  for (const command of ['tracker', 'daemon'] as const) {
    const node = await program.cli(command, '--listen', '127.0.0.1:0', ...flags[command]);
    await node.line((line) => line.startsWith(`${command} listening on`) || null, WITHIN_MS);
    // The system delivers them in this order.
    node.kill('SIGHUP');
    node.kill('SIGTERM');
    const { code, signal } = await node.exit(WITHIN_MS);
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, command);
  }
});

test('a list that cannot be read, or is none, ends the start with one line', async (t) => {
  const folder = await tempFolder(t);
  const list = join(folder, 'networks');
  await writeFile(list, '10.0.0.0/8\n10.0.0.1/8\n');
  const program = new TestProgram(t, folder);
  const bad = await program.cli('tracker', '--listen', '127.0.0.1:0', '--allow-networks', list);
  assert.equal((await bad.exit(WITHIN_MS)).code, 2);
  assert.equal(bad.stderr.all.length, 1, bad.stderr.all.join('\n'));
  assert.match(bad.stderr.all[0]!, /networks:2: '10\.0\.0\.1\/8' is not an address or a network/);
  const missing = await program.cli(
    'tracker',
    '--listen',
    '127.0.0.1:0',
    '--deny-networks',
    join(folder, 'none'),
  );
  assert.equal((await missing.exit(WITHIN_MS)).code, 6);
});
