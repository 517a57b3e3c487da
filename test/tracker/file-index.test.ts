import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type FileQuery, foldName, parseFileQuery } from '../../src/model/file-query.js';
import type { FileMd5 } from '../../src/model/ids.js';
import { FileIndex, type IndexedFile, isMatch, mostOwned } from '../../src/tracker/file-index.js';
import { fileMd5 } from '../contracts/tracker-values.js';
import { SEEDED } from '../support/arbitraries.js';

/** The plain scan that the index must agree with. */
class PlainIndex {
  readonly #names = new Map<FileMd5, string>();

  set(md5: FileMd5, name: string): void {
    this.#names.set(md5, foldName(name));
  }

  delete(md5: FileMd5): void {
    this.#names.delete(md5);
  }

  find({ name, md5Prefix }: FileQuery): FileMd5[] {
    return [...this.#names]
      .filter(([md5, each]) => each.includes(name) || (md5Prefix !== null && md5.startsWith(md5Prefix)))
      .map(([md5]) => md5);
  }
}

// Few characters, so that texts meet; of every kind that the index tells apart or not.
const CHARACTERS = [...'abAB12 .-_[', 'é', 'É', 'İ', 'ß', '中', '文', '\u{1f600}', '\u{1f601}', 'ſ', '\0'];
const names = fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength: 12 });
/** Ids that share long prefixes. */
const ids = fc.nat(30).map((n) => fileMd5(n % 2 === 0 ? n : n * 16 ** 6));
const changes = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ md5: ids, name: fc.option(names, { freq: 4 }) }), weight: 1 },
    { arbitrary: fc.record({ md5: ids, name: names }), weight: 2 },
  ),
  { maxLength: 80 },
);
const queries = fc.oneof(
  fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength: 4 }),
  names,
  ids.chain((md5) => fc.integer({ min: 7, max: 21 }).map((digits) => md5.slice(0, digits))),
  fc.constantFrom('*', '0000000', '00000000', 'AB12', 'abababab'),
);

describe('file index', () => {
  test('finds what a scan over all names and ids finds, each file once, whatever was added, renamed and deleted', () => {
    fc.assert(
      fc.property(changes, fc.array(queries, { minLength: 1, maxLength: 10 }), (steps, texts) => {
        const index = new FileIndex<FileMd5>();
        const plain = new PlainIndex();
        const indexed = new Map<FileMd5, IndexedFile>();
        for (const { md5, name } of steps) {
          if (name === null) {
            index.delete(md5);
            indexed.delete(md5);
            plain.delete(md5);
          } else {
            indexed.set(md5, index.set(md5, name, md5));
            plain.set(md5, name);
          }
        }
        for (const text of texts) {
          const query = parseFileQuery(text);
          if (query === null) continue;
          const expected = plain.find(query).sort();
          assert.deepEqual(index.find(query).sort(), expected, `'${text}'`);
          assert.ok(index.mostMatches(query) >= expected.length);
          for (const file of indexed.values()) {
            assert.equal(isMatch(file, query), expected.includes(file.md5));
          }
        }
      }),
      { ...SEEDED, numRuns: 1_000 },
    );
  });

  test('a rare text costs a look at few names, however common its letters are', () => {
    const index = new FileIndex<number>();
    for (let i = 0; i < 1_000; i += 1) index.set(fileMd5(i), `Common Name ${i % 10}.mkv`, i);
    index.set(fileMd5(5_000), 'Common Name qz.mkv', 5_000);
    for (const text of ['name qz', 'qz', 'q']) {
      assert.ok(index.mostMatches({ name: text, md5Prefix: null }) < 20, text);
    }
  });

  test('what was deleted does not stay in memory: lists shrink when half of them has ended', () => {
    const index = new FileIndex<number>();
    for (let i = 0; i < 100; i += 1) index.set(fileMd5(i), 'the same name', i);
    for (let i = 0; i < 99; i += 1) index.delete(fileMd5(i));
    assert.ok(index.mostMatches({ name: 'same', md5Prefix: null }) <= 2);
    assert.deepEqual(index.find({ name: 'same', md5Prefix: null }), [99]);
  });

  test('a file that is renamed is found under its new name alone', () => {
    const index = new FileIndex<string>();
    index.set(fileMd5(1), 'first name', 'file');
    index.set(fileMd5(1), 'Second NAME', 'file');
    assert.deepEqual(index.find({ name: 'first', md5Prefix: null }), []);
    assert.deepEqual(index.find({ name: 'second name', md5Prefix: null }), ['file']);
  });
});

describe('most owned', () => {
  test('are the first of all sorted by owners, the earlier of two with equally many', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 50 }), fc.nat(60), (owners, limit) => {
        const files = owners.map((count, number) => ({ count, number }));
        const expected = files.toSorted((a, b) => b.count - a.count).slice(0, limit);
        assert.deepEqual(
          mostOwned([...files], limit, ({ count }) => count),
          expected,
        );
      }),
      SEEDED,
    );
  });
});
