import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureSample, SAMPLE_NAME, sampleText } from '../../src/cli/demo-sample.js';
import { OperationalError } from '../../src/core/errors.js';
import { tempFolder } from '../support/files.js';

test('the sample is the same everywhere, some megabytes of text that says where it is', () => {
  const text = sampleText();
  assert.ok(text.length > 3 * 2 ** 20 && text.length < 8 * 2 ** 20, String(text.length));
  assert.match(text.slice(text.length / 2), /line \d{5} begins at byte \d{7}/);
  const [, line, offset] = /line (\d{5}) begins at byte (\d{7})/.exec(text.slice(text.length - 200))!;
  assert.equal(text.indexOf(`line ${line}`), Number(offset));
  assert.equal(createHash('md5').update(text).digest('hex'), 'ee1fc11d68307acdd6eb4314b87590a3');
});

test('a folder that is missing or has nothing to share gets the sample, whole', async (t) => {
  const folder = join(await tempFolder(t), 'a', 'shared');
  await ensureSample(folder);
  assert.deepEqual(await readdir(folder), [SAMPLE_NAME]);
  assert.equal(await readFile(join(folder, SAMPLE_NAME), 'utf8'), sampleText());
});

test('hidden files do not count, all others keep the sample out', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, '.hidden'), '');
  await ensureSample(folder);
  assert.deepEqual((await readdir(folder)).sort(), ['.hidden', SAMPLE_NAME]);
  const other = await tempFolder(t);
  await mkdir(join(other, 'films'));
  await ensureSample(other);
  assert.deepEqual(await readdir(other), ['films']);
});

test('where no folder can be, it is an error of the disk', async (t) => {
  const file = join(await tempFolder(t), 'file');
  await writeFile(file, '');
  await assert.rejects(
    ensureSample(join(file, 'shared')),
    (error) => error instanceof OperationalError && error.trouble === 'disk',
  );
});
