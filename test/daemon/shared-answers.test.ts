import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedAnswers } from '../../src/daemon/shared-answers.js';
import { parseFileQuery } from '../../src/model/file-query.js';
import { partGeometry } from '../../src/model/geometry.js';
import { parseFileMd5 } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';

const fileOf = (digit: string, name: string): Manifest => ({
  md5: parseFileMd5(digit.repeat(32))!,
  name,
  geometry: partGeometry(1, 1),
});
const FILM = fileOf('a', 'A Film.mkv');
const BOOK = fileOf('b', 'a book.pdf');

/** A tracker that knows some of the files, and where it was reached. */
const tracker = (reachedAt: string | null, port: number, ...files: readonly Manifest[]) => ({
  tracker: { host: 'tracker.example', port },
  reachedAt,
  isRegistered: (md5: string) => files.some((file) => file.md5 === md5),
});

function answersOf(trackers: ReturnType<typeof tracker>[], files: readonly Manifest[] = [FILM, BOOK]) {
  const answers = new SharedAnswers({ files: () => files, trackers: () => trackers });
  const ask = (text: string, host: string | null = '10.0.0.9', limit = 10) =>
    answers.match(parseFileQuery(text)!, limit, host).map(({ name, tracker: at }) => [name, at]);
  return { answers, ask };
}

test('a file is answered with a tracker that has it, by the address at which that was reached', () => {
  const { ask } = answersOf([tracker('10.0.0.1', 3_000, BOOK), tracker('::ffff:10.0.0.2', 3_001, FILM)]);
  assert.deepEqual(ask('FILM'), [['A Film.mkv', { v4: '10.0.0.2', v6: null, port: 3_001 }]]);
  assert.deepEqual(ask('bbbbbbbb'), [['a book.pdf', { v4: '10.0.0.1', v6: null, port: 3_000 }]]);
  assert.deepEqual(ask('music'), []);
  assert.deepEqual(
    ask('*', null),
    [
      ['A Film.mkv', undefined],
      ['a book.pdf', undefined],
    ],
    'for the filter all of them',
  );
});

test('a file that no tracker has, or none that the asker can reach, is no answer', () => {
  assert.deepEqual(answersOf([tracker('10.0.0.1', 3_000)]).ask('film'), [], 'not registered');
  assert.deepEqual(answersOf([tracker(null, 3_000, FILM)]).ask('film'), [], 'not logged in');
  const local = answersOf([tracker('127.0.0.1', 3_000, FILM)]);
  assert.deepEqual(local.ask('film', '10.0.0.9'), []);
  assert.deepEqual(local.ask('film', '8.8.8.8'), []);
  assert.equal(local.ask('film', '127.0.0.5').length, 1);
  const v6 = answersOf([tracker('10.0.0.1', 3_000, FILM), tracker('fd00::1', 3_001, FILM)]);
  assert.equal(v6.ask('film', 'fd00::9').length, 1);
});

test('what is shared later is found, what is withdrawn is not, and the limit counts what can be had', () => {
  const other = fileOf('c', 'another film');
  const { answers, ask } = answersOf([tracker('10.0.0.1', 3_000, FILM, other)]);
  assert.equal(ask('film').length, 1);
  answers.add(other);
  assert.equal(ask('film').length, 2);
  assert.equal(ask('film', '10.0.0.9', 1).length, 1);
  answers.remove(FILM.md5);
  assert.deepEqual(
    ask('film').map(([name]) => name),
    ['another film'],
  );
});
