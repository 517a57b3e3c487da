import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FILTER_AGE_MS,
  FILTER_ASK_MS,
  NeighbourFilterTable,
} from '../../src/policy/neighbour-filter-table.js';

const FILTER = new Uint8Array(64);

describe('a table of neighbour filters', () => {
  it('asks each neighbour at most once a minute, with the version it has', () => {
    const table = new NeighbourFilterTable();
    assert.equal(table.ask('a', 0), 0);
    assert.equal(table.ask('a', FILTER_ASK_MS - 1), null);
    table.heard('a', { version: 7, filter: FILTER }, 0);
    assert.equal(table.ask('a', FILTER_ASK_MS), 7);
    assert.equal(table.ask('b', 0), 0);
  });

  it('gives a filter while it was confirmed lately', () => {
    const table = new NeighbourFilterTable();
    assert.equal(table.get('a', 0), undefined);
    table.heard('a', { version: 7, filter: FILTER }, 0);
    assert.equal(table.get('a', FILTER_AGE_MS - 1)?.bytes, FILTER);
    assert.equal(table.get('a', FILTER_AGE_MS), undefined);
    table.heard('a', { version: 7, filter: null }, FILTER_ASK_MS);
    assert.equal(table.get('a', FILTER_ASK_MS + FILTER_AGE_MS - 1)?.bytes, FILTER);
  });

  it('has none of a neighbour that confirms a version which was not given', () => {
    const table = new NeighbourFilterTable();
    table.heard('a', { version: 7, filter: FILTER }, 0);
    table.heard('a', { version: 8, filter: null }, 1);
    assert.equal(table.get('a', 1), undefined);
    assert.equal(table.ask('a', 1), 0);
  });

  it('forgets who is a neighbour no more', () => {
    const table = new NeighbourFilterTable();
    table.ask('a', 0);
    table.heard('a', { version: 7, filter: FILTER }, 0);
    table.forget('a');
    assert.equal(table.get('a', 0), undefined);
    assert.equal(table.ask('a', 0), 0);
  });
});
