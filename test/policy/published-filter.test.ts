import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFileQuery } from '../../src/model/file-query.js';
import { KeywordFilter, keywordQuery } from '../../src/policy/keyword-filter.js';
import { PublishedFilter } from '../../src/policy/published-filter.js';
import { decodeAfil } from '../../src/protocol/answers.js';
import { encodeAfil } from '../../src/protocol/encode.js';

const MD5 = '0123456789abcdef0123456789abcdef';
const half = () => 0.5;

function mayMatch(bytes: Uint8Array | null, text: string): boolean {
  return KeywordFilter.fromBytes(bytes!)!.mayMatch(keywordQuery(parseFileQuery(text)!));
}

describe('a published filter', () => {
  it('is given whole once and not again until a file changes it', () => {
    const published = new PublishedFilter(half);
    published.add({ name: 'ubuntu.iso', md5: MD5 });
    const first = published.answer(0);
    assert.ok(mayMatch(first.filter, 'ubuntu'));
    assert.deepEqual(published.answer(first.version), { version: first.version, filter: null });
    published.add({ name: 'UBUNTU.ISO', md5: MD5 });
    assert.equal(published.answer(first.version).filter, null);
    published.add({ name: 'debian.iso', md5: MD5 });
    const second = published.answer(first.version);
    assert.equal(second.version, first.version + 1);
    assert.ok(mayMatch(second.filter, 'debian') && mayMatch(second.filter, 'ubuntu'));
    assert.ok(!mayMatch(first.filter, 'debian'), 'what was given does not change');
  });

  it('lets go of the files that are gone', () => {
    const published = new PublishedFilter(half);
    published.add({ name: 'ubuntu.iso', md5: MD5 });
    const { version } = published.answer(0);
    published.replace([{ name: 'debian.iso', md5: MD5 }]);
    const { filter } = published.answer(version);
    assert.ok(mayMatch(filter, 'debian') && !mayMatch(filter, 'ubuntu'));
  });

  it('answers with a filter that goes over the wire, of whatever version it is asked', () => {
    for (const random of [() => 0, half, () => 1 - Number.EPSILON]) {
      const published = new PublishedFilter(random);
      for (let change = 0; change < 3; change++) {
        for (const asked of [0, 1, 50_000_000, 99_999_999]) {
          const answer = published.answer(asked);
          assert.deepEqual(decodeAfil().push(encodeAfil(answer)), answer);
          assert.ok(answer.filter !== null || answer.version === asked);
        }
        published.add({ name: `file ${change}`, md5: MD5 });
      }
    }
  });

  it('gives a filter even to a neighbour that guesses the version before it was given', () => {
    const published = new PublishedFilter(() => 0);
    assert.ok(published.answer(1).filter !== null);
    assert.equal(published.answer(1).filter, null);
  });
});
