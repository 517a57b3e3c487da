import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLogger } from '../../src/cli/log.js';
import { Output } from '../../src/cli/output.js';
import { FakeScreen } from './fake-screen.js';

async function logged(isTTY: boolean, level: 'info' | 'warn', env: NodeJS.ProcessEnv = {}) {
  const stderr = new FakeScreen({ isTTY });
  const output = new Output(new FakeScreen(), stderr, { NO_COLOR: '1' });
  const logger = await openLogger(output, env, level);
  logger.debug({}, 'details');
  logger.info({ md5: 'd41d', name: 'a\u001bb', size: 3 }, 'shared');
  logger.warn({ error: new Error('gone') }, 'tracker away');
  return stderr.lines;
}

test('without a terminal a log line is an object with level, time and message', async () => {
  const [shared, away] = (await logged(false, 'info')).map((line) => JSON.parse(line));
  assert.deepEqual(
    { ...shared, time: '' },
    {
      level: 'info',
      time: '',
      md5: 'd41d',
      name: 'a\u001bb',
      size: 3,
      msg: 'shared',
    },
  );
  assert.ok(!Number.isNaN(Date.parse(shared.time)));
  assert.equal(away.error.message, 'gone');
});

test('on a terminal it is readable, and names in it are escaped', async () => {
  const [shared, away] = await logged(true, 'info');
  assert.match(shared!, /^\d\d:\d\d:\d\d info {2}shared md5=d41d name=a\\u\{1b\}b size=3$/);
  assert.match(away!, /^\d\d:\d\d:\d\d warn {2}tracker away error=gone$/);
});

test('what is below the level is left out, unless BUGTORRENT_DEBUG asks for everything', async () => {
  assert.equal((await logged(false, 'warn')).length, 1);
  assert.equal((await logged(false, 'info')).length, 2);
  assert.equal((await logged(false, 'warn', { BUGTORRENT_DEBUG: '1' })).length, 3);
});
