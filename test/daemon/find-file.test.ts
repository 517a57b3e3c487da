import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findFile } from '../../src/daemon/find-file.js';
import { parseFileMd5 } from '../../src/model/ids.js';

const md5 = parseFileMd5('0123456789abcdef0123456789abcdef')!;
const listed = { md5, name: 'film.mkv', fileSize: 500, partSize: 262_144 };
const magnet = { md5, name: null, size: 500, trackers: [] };

test('a file is found in the geometry that the magnet link allows', async () => {
  const other = { ...listed, fileSize: 499 };
  const found = await findFile({ magnet }, async () => [{ ...other, otherwise: [listed] }], null);
  assert.deepEqual(found, [listed]);
});

test('a magnet link with another size than trackers give is told of both, not that nobody knows the file', async () => {
  const look = async () => [{ ...listed, otherwise: [] }];
  const wanted = { magnet: { ...magnet, size: 5 } };
  await assert.rejects(findFile(wanted, look, null), { trouble: 'not-found', message: /has 5 B, .* 500 B/ });
  await assert.rejects(
    findFile(wanted, async () => [], null),
    { message: /no tracker knows/ },
  );
});

test('where the MD5 finds another size only, the name is asked for, too', async () => {
  const look = async (text: string) =>
    text === 'film.mkv' ? [{ ...listed, otherwise: [] }] : [{ ...listed, fileSize: 5, otherwise: [] }];
  const found = await findFile({ magnet: { ...magnet, name: 'film.mkv' } }, look, null);
  assert.deepEqual(
    found.map(({ fileSize }) => fileSize),
    [500],
  );
});
