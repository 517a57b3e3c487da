import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { DESCRIPTORS } from '../../src/metrics/descriptors.js';
import { NOT_ADMITTED } from '../../src/net/admission.js';
import { projectPath } from '../support/project.js';
import { UploadRig } from '../swarm/upload-rig.js';

const sorted = (values: Iterable<string>) => [...values].sort();

test('what counts from 0 on is what there is to be counted', async () => {
  const workers = await readFile(projectPath('workers', 'main.ts'), 'utf8');
  const tasks = [...workers.matchAll(/^export const (\w+)/gm)].map(([, name]) => name!);
  const { refused } = new UploadRig().upload.stats();
  assert.deepEqual(
    sorted(DESCRIPTORS.bugtorrent_upload_refused_total.known.reason!),
    sorted(Object.keys(refused)),
  );
  assert.deepEqual(sorted(DESCRIPTORS.bugtorrent_pool_tasks_total.known.task!), sorted(tasks));
  const reasons = DESCRIPTORS.bugtorrent_connections_refused_total.known.reason!;
  assert.deepEqual(
    NOT_ADMITTED.filter((reason) => !reasons.includes(reason)),
    [],
  );
});
