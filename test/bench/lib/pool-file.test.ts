import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PoolFile } from '../../../bench/lib/pool-file.js';
import { atEnd } from '../../support/clean-up.js';
import { seededBytes, tempFolder } from '../../support/files.js';

const PART = 262_144;

test('the pool verifies every part of a file, the short last one too, and finds any that changed', async (t) => {
  const path = join(await tempFolder(t), 'file.bin');
  const size = 40 * PART + 1000;
  await writeFile(path, seededBytes('pool file', size));
  const file = await PoolFile.open(path);
  atEnd(t, () => file.stop());
  await file.verify();
  await file.verify();
  for (const part of [0, 17, 40]) {
    await flipByte(path, part * PART + 999);
    await assert.rejects(file.verify(), { message: `part ${part} does not link` });
    await flipByte(path, part * PART + 999);
  }
  await file.verify();
});

async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  buffer[0]! ^= 0x10;
  await file.write(buffer, 0, 1, at);
  await file.close();
}
