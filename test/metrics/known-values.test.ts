import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { DESCRIPTORS } from '../../src/metrics/descriptors.js';
import { REFUSED } from '../../src/net/listener-counts.js';
import { NOT_SHARED } from '../../src/storage/not-shared.js';
import { projectPath } from '../support/project.js';
import { UploadRig } from '../swarm/upload-rig.js';

const sorted = (values: Iterable<string>) => [...values].sort();

test('reasons and tasks that count from 0 on are all that their sources know', async () => {
  const workers = await readFile(projectPath('workers', 'main.ts'), 'utf8');
  const tasks = [...workers.matchAll(/^export const (\w+)/gm)].map(([, name]) => name!);
  const { refused } = new UploadRig().upload.stats();
  const known = [
    DESCRIPTORS.bugtorrent_upload_refused_total.known.reason,
    DESCRIPTORS.bugtorrent_connections_refused_total.known.reason,
    DESCRIPTORS.bugtorrent_library_errors_total.known.reason,
    DESCRIPTORS.bugtorrent_pool_tasks_total.known.task,
  ];
  const sources = [Object.keys(refused), REFUSED, NOT_SHARED, tasks];
  assert.deepEqual(
    known.map((values) => sorted(values!)),
    sources.map(sorted),
  );
});
