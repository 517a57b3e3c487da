import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ContenderTable, REGULAR, WAITING } from '../../src/policy/contender-table.js';
import { FirstClaims } from '../../src/policy/first-claims.js';

describe('first claims', () => {
  it('are those that a sort would put first', () => {
    const contender = fc.record({ claim: fc.nat(3), holds: fc.boolean(), since: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.array(contender, { maxLength: 12 }),
        fc.integer({ min: -1, max: 14 }),
        fc.boolean(),
        (all, count, holdersFirst) => {
          const table = new ContenderTable(all.length);
          const first = new FirstClaims(table, count, holdersFirst);
          for (const [row, { claim, holds, since }] of all.entries()) {
            table.begin(row, since);
            table.standing[row] = holds ? REGULAR : WAITING;
            first.add(row, claim);
          }
          const sorted = all
            .map((each, row) => ({ ...each, row, later: Number(each.holds !== holdersFirst) }))
            .sort((a, b) => b.claim - a.claim || a.later - b.later || a.since - b.since);
          assert.deepEqual(
            first.rows,
            sorted.slice(0, Math.max(0, count)).map(({ row }) => row),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
