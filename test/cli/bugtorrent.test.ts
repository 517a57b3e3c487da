import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '../support/files.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Manifest {
  readonly version: string;
  readonly bin: { readonly bugtorrent: string };
}

const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;

const versionOf = (path: string) =>
  new Promise((resolve) =>
    execFile(process.execPath, [path, '--version'], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );

test('the program of the package runs what was built, and says so where nothing was', async (t) => {
  const { version, bin } = manifest;
  assert.deepEqual(await versionOf(join(root, bin.bugtorrent)), {
    ...{ code: 0, stdout: `${version}\n`, stderr: '' },
  });
  const checkout = await tempFolder(t);
  await mkdir(join(checkout, 'src', 'cli'), { recursive: true });
  await writeFile(join(checkout, 'package.json'), '{"type": "module"}');
  await copyFile(join(root, bin.bugtorrent), join(checkout, bin.bugtorrent));
  assert.deepEqual(await versionOf(join(checkout, bin.bugtorrent)), {
    ...{ code: 2, stdout: '', stderr: "bugtorrent: it is not built yet: type 'npm run build'\n" },
  });
});
