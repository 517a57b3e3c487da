import assert from 'node:assert/strict';
import { test } from 'node:test';
import { donePercent, fileHeader, fileRow } from '../../src/cli/file-row.js';
import { textWidth } from '../../src/cli/terminal.js';
import { apiFile } from './api-samples.js';

test('the columns of a row stand under those of the header, with and without room for the MD5', () => {
  const row = fileRow(apiFile({ name: 'film.mkv' }), null);
  assert.equal(row, `${'a'.repeat(32)}  downloading   50%   2.0 MiB   1.0 MiB/s      3  film.mkv`);
  for (const columns of [null, 80, 140]) {
    const at = fileHeader(columns).indexOf('NAME');
    assert.equal(fileRow(apiFile({ name: 'film.mkv' }), columns).indexOf('film.mkv'), at);
    assert.equal(fileHeader(columns).includes('MD5'), columns !== 80);
  }
});

test('a row never is wider than the terminal, whatever the name, and a name moves no cursor', () => {
  for (const name of ['n'.repeat(500), '漢'.repeat(500), '\u001b[2J\u202e'.repeat(50)]) {
    for (const columns of [1, 20, 80, 119, 200]) {
      const row = fileRow(apiFile({ name }), columns);
      assert.ok(textWidth(row) <= columns, `${textWidth(row)} of ${columns}`);
      assert.doesNotMatch(row, /[\u001b\u202e]/);
    }
  }
});

test('what nobody has said yet is no number, and 100% is said of whole files only', () => {
  const unknown = fileRow(apiFile({ size: 0, stored: 0, rate: 0, peers: 0, state: 'searching' }), null);
  assert.match(unknown, /searching {7}- {9}\? {11}- {6}- {2}/);
  assert.equal(donePercent({ stored: 999_999, size: 1_000_000 }), '99%');
  assert.equal(donePercent({ stored: 1_000_000, size: 1_000_000 }), '100%');
});

test('a download that failed says why', () => {
  const error = { code: 'DISK_FULL', message: 'the disk is full' };
  assert.match(fileRow(apiFile({ state: 'failed', error }), null), /a\.bin: the disk is full$/);
});
