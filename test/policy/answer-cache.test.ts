import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileMd5 } from '../../src/model/ids.js';
import { ANSWER_AGE_MS, AnswerCache, type FoundAnswer } from '../../src/policy/answer-cache.js';

const answer = (n: number, name: string, port = 3_000): FoundAnswer => ({
  md5: parseFileMd5(n.toString(16).padStart(32, '0'))!,
  name,
  tracker: { host: '10.0.0.1', port },
});

test('what was found is found again by a part of its name or the beginning of its MD5, the latest first', () => {
  const cache = new AnswerCache();
  cache.add(answer(1, 'A Film.mkv'), 1);
  cache.add(answer(2, 'another film.mkv'), 2);
  cache.add(answer(3, 'a book.pdf'), 3);
  assert.deepEqual(
    cache.matching(' FILM', 4).map(({ md5, at }) => [md5.at(-1), at]),
    [
      ['2', 2],
      ['1', 1],
    ],
  );
  assert.equal(cache.matching('00000000', 4).length, 3);
  assert.equal(cache.matching('*', 4).length, 3);
  assert.deepEqual(cache.matching('  ', 4), []);
  assert.deepEqual(cache.matching('music', 4), []);
});

test('an answer is the file and its tracker: of another tracker it is another, found again it is new', () => {
  const cache = new AnswerCache();
  cache.add(answer(1, 'a film', 3_000), 0);
  cache.add(answer(1, 'a film', 3_001), 1);
  cache.add(answer(1, 'a better film', 3_000), 2);
  assert.deepEqual(
    cache.recent(2).map(({ name, tracker }) => [name, tracker.port]),
    [
      ['a better film', 3_000],
      ['a film', 3_001],
    ],
  );
  cache.forget(answer(1, 'whatever its name', 3_000));
  assert.deepEqual(
    cache.recent(2).map(({ tracker }) => tracker.port),
    [3_001],
  );
});

test('an answer is given for an hour, and none of a clock that was ahead', () => {
  const cache = new AnswerCache();
  cache.add(answer(1, 'a film'), 0);
  assert.equal(cache.recent(ANSWER_AGE_MS).length, 1);
  assert.equal(cache.recent(ANSWER_AGE_MS + 1).length, 0);
  cache.add(answer(2, 'a film'), 5_000);
  assert.equal(cache.recent(4_999).length, 1, 'the other one');
});

test('of more answers than there is room for those found first go', () => {
  const cache = new AnswerCache(2);
  for (let n = 1; n <= 3; n++) cache.add(answer(n, 'a film'), n);
  assert.deepEqual(
    cache.recent(3).map(({ at }) => at),
    [3, 2],
  );
});
