import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '../../src/core/errors.js';
import type { FileMd5 } from '../../src/model/ids.js';
import type { FoundFile } from '../../src/protocol/messages.js';
import { TrackerGeometry } from '../../src/swarm/tracker-geometry.js';
import { file, published, upTo } from '../support/session-under-test.js';

function geometryOver(files: readonly FoundFile[]) {
  const asked: string[] = [];
  const said: string[] = [];
  const geometry = new TrackerGeometry(
    async (text) => {
      asked.push(text);
      return files;
    },
    (_manifest, kept) => said.push(kept),
  );
  return { geometry, asked, said };
}

test('a file that the tracker showed once is not asked for again', async () => {
  const { geometry, asked } = geometryOver([published(file('a', 3))]);
  assert.equal(await geometry.byId(file('a', 3)), 'same');
  assert.equal(await geometry.byId(file('a', 3)), 'same');
  assert.deepEqual(asked, ['aaaaaaaa0123456789ab']);
});

test('a difference is said once', async () => {
  const { geometry, said } = geometryOver([{ ...published(file('a', 3)), partSize: 99 }]);
  assert.equal(await geometry.byId(file('a', 3)), 'other');
  assert.equal(await geometry.byName(file('a', 3)), 'other');
  assert.deepEqual(said, ['290 B in parts of 99 B']);
});

test('a file that the tracker does not show is unknown, and asked for each time', async () => {
  const { geometry, asked } = geometryOver([published(file('b', 3))]);
  assert.equal(await geometry.byName(file('a', 3)), 'unknown');
  assert.equal(await geometry.byName(file('a', 3)), 'unknown');
  assert.deepEqual(asked, ['file a.bin', 'file a.bin']);
});

test('a refused search says nothing, any other failure is passed on', async () => {
  let code = 'TRACKER_REFUSED';
  const geometry = new TrackerGeometry(
    () => Promise.reject(new OperationalError('network', code, 'no')),
    () => {},
  );
  assert.equal(await geometry.byId(file('a', 3)), 'unknown');
  code = 'TRACKER_AWAY';
  await assert.rejects(geometry.byId(file('a', 3)), { code });
});

test('what is remembered is bounded, the oldest goes first', async () => {
  const { geometry, asked } = geometryOver([]);
  const ids = upTo(2_001).map((n) => n.toString(16).padStart(32, '0') as FileMd5);
  geometry.remember(ids.map((md5) => ({ ...published(file('a', 3)), md5 })));
  assert.equal(await geometry.byId({ ...file('a', 3), md5: ids[2_000]! }), 'same');
  assert.equal(await geometry.byId({ ...file('a', 3), md5: ids[1]! }), 'same');
  assert.equal(await geometry.byId({ ...file('a', 3), md5: ids[0]! }), 'unknown');
  assert.equal(asked.length, 1);
});
