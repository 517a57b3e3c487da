import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../support/files.js';
import { eventsOf, TestProgram } from '../support/process.js';

const WITHIN_MS = 30_000;

test('doctor finds nothing wrong with a good set-up: exit code 0, and nothing is left behind', async (t) => {
  const folder = await tempFolder(t);
  const program = new TestProgram(t, folder);
  const { at } = await program.startTracker();
  const state = join(folder, 'state');
  await mkdir(state);
  await writeFile(join(folder, 'good.toml'), 'slots = 4\n');
  const doctor = await program.cli(
    'doctor',
    ...['--tracker', at, '--listen', '127.0.0.1:0', '--state', state],
    ...['--downloads', join(folder, 'downloads'), '--config', join(folder, 'good.toml'), '--json'],
  );
  assert.equal((await doctor.exit(WITHIN_MS)).code, 0, doctor.stdout.all.join('\n'));
  const checks = eventsOf(doctor);
  assert.ok(checks.every(({ event, verdict }) => event === 'check' && verdict !== 'fail'));
  for (const about of ['Node.js', 'WebAssembly', 'clock', 'state', 'downloads', 'own port', `tracker ${at}`])
    assert.ok(
      checks.some(({ check }) => String(check).startsWith(about)),
      about,
    );
  assert.match(String(checks[0]!.check), /^config file .*good\.toml$/);
  assert.deepEqual(await readdir(state), []);
});

test('doctor names what is wrong, with the fix: exit code 1; a flag that is none: 2', async (t) => {
  const folder = await tempFolder(t);
  const program = new TestProgram(t, folder);
  const config = join(folder, 'bad.toml');
  await writeFile(config, 'cache = "much"\nslots = 4\n');
  const doctor = await program.cli(
    'doctor',
    ...['--tracker', '127.0.0.1:1', '--listen', '127.0.0.1:0', '--share', join(folder, 'none')],
    ...['--config', config],
  );
  assert.equal((await doctor.exit(WITHIN_MS)).code, 1);
  const said = doctor.stdout.all;
  const lineAfter = (start: RegExp) => said[said.findIndex((line) => start.test(line)) + 1];
  assert.match(
    lineAfter(/^fail {2}config file .*cache in .*bad\.toml: 'much' is not valid/)!,
    /fix: correct it/,
  );
  assert.match(lineAfter(/^fail {2}tracker 127\.0\.0\.1:1: .*cannot be reached/)!, /fix: start a tracker/);
  assert.match(lineAfter(/^fail {2}share .*no such file or folder/)!, /fix: create the folder/);
  assert.match(doctor.stderr.all.join('\n'), /^bugtorrent: 3 of \d+ checks failed$/);
  const wrong = await program.cli('doctor', '--nonsense');
  assert.equal((await wrong.exit(WITHIN_MS)).code, 2);
});
