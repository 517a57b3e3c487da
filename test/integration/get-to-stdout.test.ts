import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MAIN } from '../cli/run-command.js';
import { breaking, type Script } from '../support/base-script.js';
import { DownloadScenario } from '../support/download-scenario.js';
import { md5, seededBytes } from '../support/files.js';
import { requirePresent } from '../support/requires.js';

const content = seededBytes('to stdout', 1_000_000);

/** Runs `get FLAGS … TAIL` in a shell, whose pipes are real ones; what `get` ended with is in the file `code`. */
async function shell({ folder, id, trackerAt }: DownloadScenario, tail: string, flags = '-o - --quiet') {
  const get = `"${process.execPath}" "${MAIN}" get ${id} ${flags} --no-seed --tracker ${trackerAt} --listen 127.0.0.1:0`;
  const child = spawn('sh', ['-c', `{ ${get} 2>errors; echo $? >code; } ${tail}`], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
    stdio: 'ignore',
  });
  await once(child, 'close');
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return { code: (await read('code')).trim(), errors: await read('errors') };
}

async function leftBehind(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== 'code' && name !== 'errors');
}

const lastCommand = ({ tracker }: DownloadScenario) => tracker.requests.at(-1)?.command;

describe('get -o -', { concurrency: 2 }, () => {
  test('writes the whole file, after which its reader sees the end', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    assert.deepEqual(await shell(scenario, '| cat >got.bin'), { code: '0', errors: '' });
    assert.equal(md5(await readFile(join(scenario.folder, 'got.bin'))), scenario.id);
  });

  test('ends at once when its reader is gone, with exit code 6, and logs out', async (t) => {
    const stalls: Script = breaking(1000, 'hang');
    const scenario = await DownloadScenario.start(t, { content, peers: [{ script: stalls }] });
    for (const reader of ['true', 'sleep 1']) {
      assert.deepEqual(await shell(scenario, `| ${reader}`), {
        code: '6',
        errors: 'bugtorrent: stdout: its reader went away before it had the whole file\n',
      });
      assert.equal(lastCommand(scenario), 'LOGO');
    }
  });

  test('get --json ends with exit code 6 when its reader has enough before the file is done', async (t) => {
    const scenario = await DownloadScenario.start(t, {
      content,
      peers: [{ script: breaking(1000, 'hang') }],
    });
    assert.deepEqual(await shell(scenario, '| head -1 >/dev/null', '--json'), {
      code: '6',
      errors:
        'bugtorrent: stdout: its reader went away before the download was done; the same command goes on\n',
    });
    assert.equal(lastCommand(scenario), 'LOGO');
  });

  test('ends with exit code 6 when its reader stops in the middle, and leaves nothing behind', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    const { code, errors } = await shell(scenario, '| head -c 100 >/dev/null');
    assert.equal(code, '6');
    assert.match(errors, /^bugtorrent: stdout: its reader went away[^\n]*\n$/);
    assert.deepEqual(await leftBehind(scenario.folder), []);
    assert.equal(lastCommand(scenario), 'LOGO');
  });

  test('ends with exit code 6 when stdout is full, and logs out', async (t) => {
    if (!requirePresent(t, 'device /dev/full', existsSync('/dev/full'))) return;
    const scenario = await DownloadScenario.start(t, { content, peers: [{}] });
    const { code, errors } = await shell(scenario, '>/dev/full');
    assert.equal(code, '6');
    assert.match(errors, /^bugtorrent: stdout: the disk is full[^\n]*\n$/);
    assert.equal(lastCommand(scenario), 'LOGO');
  });
});
