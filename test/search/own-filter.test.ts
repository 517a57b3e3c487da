import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileQuery } from '../../src/model/file-query.js';
import { KeywordFilter, keywordQuery } from '../../src/policy/keyword-filter.js';
import type { SearchedFile } from '../../src/policy/published-filter.js';
import { decodeAfil } from '../../src/protocol/answers.js';
import { OwnFilter } from '../../src/search/own-filter.js';
import { ManualClock } from '../support/manual-clock.js';

const fileOf = (name: string): SearchedFile => ({ name, md5: '0123456789abcdef'.repeat(2) });

/** Whether the filter that is given now says that `text` may match. */
async function mayMatch(filter: OwnFilter, text: string): Promise<boolean> {
  const { filter: bytes } = decodeAfil().push(await filter.answer(0))!;
  return KeywordFilter.fromBytes(bytes!)!.mayMatch(keywordQuery(parseFileQuery(text)!));
}

test('the filter has every file of the store, those that are new after 5 s', async () => {
  const clock = new ManualClock();
  const files = [fileOf('A Film.mkv')];
  const filter = new OwnFilter(
    () => files,
    clock,
    () => 0.5,
  );
  assert.deepEqual([await mayMatch(filter, 'film'), await mayMatch(filter, 'book')], [true, false]);
  files.push(fileOf('a book.pdf'));
  assert.equal(await mayMatch(filter, 'book'), false);
  clock.advance(5_000);
  assert.deepEqual([await mayMatch(filter, 'film'), await mayMatch(filter, 'book')], [true, true]);
});

test('who has the filter as it is gets no bytes of it', () => {
  const filter = new OwnFilter(
    () => [fileOf('a film')],
    new ManualClock(),
    () => 0.5,
  );
  const { version } = decodeAfil().push(filter.answer(0) as Uint8Array)!;
  assert.deepEqual(decodeAfil().push(filter.answer(version) as Uint8Array), { version, filter: null });
});

test('with more files than a filter can hold anything may match', async () => {
  const many = Array.from({ length: 10_001 }, (_, n) => fileOf(`file ${n}`));
  const filter = new OwnFilter(
    async (_query, limit) => many.slice(0, limit),
    new ManualClock(),
    () => 0.5,
  );
  assert.equal(await mayMatch(filter, 'what nobody has'), true);
});
