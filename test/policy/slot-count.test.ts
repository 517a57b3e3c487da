import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlotCount } from '../../src/policy/slot-count.js';

const MB = 1_000_000;
const busy = { limit: 10 * MB, contended: true };

describe('the count of upload slots', () => {
  it('grows by one while peers wait and the limit is not used up', () => {
    const slots = new SlotCount({ slots: 4 });
    assert.equal(slots.review({ ...busy, rate: 5 * MB }, 0), 5);
    assert.equal(slots.review({ ...busy, rate: 6 * MB }, 10_000), 6);
    assert.equal(slots.review({ ...busy, rate: 9.1 * MB }, 20_000), 6);
    assert.equal(slots.review({ ...busy, rate: 9.9 * MB }, 30_000), 6);
  });

  it('does not grow when nobody waits', () => {
    const slots = new SlotCount({ slots: 4 });
    assert.equal(slots.review({ rate: 1, limit: MB, contended: false }, 0), 4);
  });

  it('leaves every slot a share worth having', () => {
    const slots = new SlotCount({ slots: 4 });
    assert.equal(slots.review({ rate: 10, limit: 100_000, contended: true }, 0), 4);
    assert.equal(slots.review({ rate: 10, limit: 110_000, contended: true }, 10_000), 5);
    assert.equal(slots.review({ rate: 10, limit: 90_000, contended: true }, 20_000), 4);
    assert.equal(slots.review({ rate: 10, limit: 10_000, contended: true }, 30_000), 4, 'never fewer');
  });

  it('ends at four times what it began with', () => {
    const slots = new SlotCount({ slots: 1 });
    for (let n = 0; n < 20; n++) slots.review({ ...busy, rate: 1 }, n * 10_000);
    assert.equal(slots.count, 4);
  });

  it('without a limit takes the best rate of the last ten minutes for the capacity', () => {
    const slots = new SlotCount({ slots: 4 });
    const free = { limit: null, contended: true };
    assert.equal(slots.review({ ...free, rate: 10 * MB }, 0), 4, 'all that was ever seen is used');
    assert.equal(slots.review({ ...free, rate: 9.5 * MB }, 10_000), 4);
    assert.equal(slots.review({ ...free, rate: 5 * MB }, 20_000), 5);
    assert.equal(slots.review({ ...free, rate: 5.5 * MB }, 30_000), 6, 'it rose by more than 5 %');
    assert.equal(slots.review({ ...free, rate: 5.6 * MB }, 40_000), 5, 'it did not');
    assert.equal(slots.review({ ...free, rate: 5.6 * MB }, 50_000), 5, 'nor is that tried again at once');
    assert.equal(slots.review({ ...free, rate: 5.6 * MB }, 100_000), 6);
    assert.equal(slots.review({ ...free, rate: 5.9 * MB }, 700_000), 6, 'the ten minutes are over');
  });
});
