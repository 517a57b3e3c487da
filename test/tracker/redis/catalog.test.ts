import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFileQuery } from '../../../src/model/file-query.js';
import { Catalog } from '../../../src/tracker/redis/catalog.js';
import { fileMd5, sharedFile } from '../../contracts/tracker-values.js';

/** File `n` of three parts, as the engine tells of it. */
function line(n: number, stamp: number, owners: number, name = `file ${n}`, incomplete = 0): string {
  const head = `${fileMd5(n)} ${stamp} ${owners}`;
  return owners === 0 ? head : `${head} ${incomplete} 3000 1000 ${name}`;
}

const names = (catalog: Catalog, text = '*') =>
  catalog.find(parseFileQuery(text)!, 9).map(({ name }) => name);

describe('catalog', () => {
  test('it finds what it heard of, by the latest name, most owners first', () => {
    const catalog = new Catalog();
    catalog.hearFile(line(1, 1, 1, 'a name with spaces\nand a line break'));
    catalog.hearFile(line(2, 2, 3, 'old', 2));
    catalog.hearFile(line(2, 3, 4, 'new', 2));
    assert.deepEqual(names(catalog), ['new', 'a name with spaces\nand a line break']);
    assert.deepEqual(names(catalog, 'old'), []);
    assert.deepEqual(catalog.find(parseFileQuery('new')!, 9), [sharedFile(2, 'new')]);
    assert.deepEqual(catalog.stats(), { sessions: 0, files: 2, ownerships: 5, partListBytes: 2 });
  });

  test('a line that comes after a younger one changes nothing, also of a file that is gone', () => {
    const catalog = new Catalog();
    catalog.hearFile(line(1, 5, 2, 'young'));
    catalog.hearFile(line(1, 4, 9, 'old'));
    assert.deepEqual(names(catalog), ['young']);
    catalog.hearFile(line(1, 7, 0));
    catalog.hearFile(line(1, 6, 3));
    assert.deepEqual(names(catalog), []);
    catalog.hearFile(line(1, 8, 1, 'again'));
    assert.deepEqual(names(catalog), ['again']);
    catalog.hearSessions('7 2 30');
    catalog.hearSessions('7 1 99');
    catalog.hearSessions('8 1 4');
    assert.equal(catalog.sessions, 34);
  });

  test('a census adds what was missed and removes what is gone, but knows less than what was heard meanwhile', () => {
    const catalog = new Catalog();
    for (const n of [1, 2, 3, 4]) catalog.hearFile(line(n, n, 1));
    catalog.beginCensus();
    catalog.hearFile(line(2, 20, 5, 'heard meanwhile'));
    catalog.hearFile(line(3, 21, 0));
    catalog.hearFile(line(2, 10, 1));
    catalog.hearFile(line(3, 10, 1));
    catalog.hearFile(line(5, 10, 2, 'missed'));
    catalog.hearFile(line(1, 0, 3, 'of an engine whose clock is behind'));
    catalog.endCensus();
    assert.deepEqual(names(catalog), ['heard meanwhile', 'of an engine whose clock is behind', 'missed']);
    assert.equal(catalog.ownerships, 10);
  });

  test('from when a census begins, lines of an engine whose clock is behind are taken, and compared with each other', () => {
    const catalog = new Catalog();
    for (const n of [1, 2, 3]) catalog.hearFile(line(n, 100, 1));
    for (const bucket of [1, 2]) catalog.hearSessions(`${bucket} 100 7`);
    catalog.beginCensus();
    assert.equal(catalog.sessions, 14, 'as last known');
    catalog.hearSessions('1 20 3');
    catalog.hearSessions('1 19 9');
    catalog.hearFile(line(1, 20, 2, 'heard'));
    catalog.hearFile(line(1, 19, 9, 'older'));
    catalog.hearFile(line(2, 21, 0));
    for (const n of [1, 2, 3]) catalog.hearFile(line(n, 10, 1, 'counted'));
    catalog.endCensus();
    catalog.hearSessions('2 22 4');
    assert.equal(catalog.sessions, 7);
    assert.deepEqual(names(catalog), ['heard', 'counted']);
    catalog.hearFile(line(1, 19, 9, 'older'));
    catalog.hearFile(line(2, 20, 9, 'older'));
    catalog.hearFile(line(3, 23, 3, 'later'));
    assert.deepEqual(names(catalog), ['later', 'heard']);
  });

  test('of the lines that came since a census began the youngest is taken, whether heard or read by the census', () => {
    const catalog = new Catalog();
    for (const n of [1, 2, 3]) catalog.hearFile(line(n, 200, 1, 'new'));
    catalog.beginCensus();
    for (const n of [1, 3]) catalog.hearFile(line(n, 199, 1, 'old'));
    catalog.hearFile(line(1, 300, 2, 'new'));
    catalog.hearFile(line(2, 300, 3, 'new'));
    catalog.hearFile(line(3, 300, 0));
    for (const n of [2, 3]) catalog.hearFile(line(n, 199, 1, 'old'));
    catalog.endCensus();
    assert.deepEqual(catalog.stats(), { sessions: 0, files: 2, ownerships: 5, partListBytes: 0 });
    assert.deepEqual(names(catalog), ['new', 'new']);
  });

  test('a line that is none, as the empty one of a change that is of no concern, is ignored', () => {
    const catalog = new Catalog();
    for (const text of ['', 'x', `${fileMd5(1)} 1`, 'xyz 1 0']) catalog.hearFile(text);
    assert.equal(catalog.files, 0);
  });
});
