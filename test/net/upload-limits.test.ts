import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { FileMd5 } from '../../src/model/ids.js';
import { UploadLimits } from '../../src/net/upload-limits.js';
import { ManualClock } from '../support/manual-clock.js';
import { late, pass, sum, writers } from './paced-writers.js';

const SMALL = 'a'.repeat(32) as FileMd5;
const LARGE = 'b'.repeat(32) as FileMd5;

/** Writers whose flows are a file and a slot, such as 'S1'. */
function sharing(limits: UploadLimits) {
  const paceOf = (flow: string) => limits.pace(flow.startsWith('S') ? SMALL : LARGE, flow.slice(1));
  return {
    slice: (flow: string) => paceOf(flow).slice,
    wait: (flow: string, bytes: number) => paceOf(flow).wait(bytes),
  };
}

test('a file’s limit is kept within 3 % over 10 s, and the other files get the rest', async () => {
  const clock = new ManualClock();
  const limits = new UploadLimits(late(clock, 20), 1_000_000);
  limits.limitFile(SMALL, 200_000);
  let over = false;
  const sent = writers(sharing(limits), ['S1', 'S2', 'L3', 'L4'], () => over);
  await pass(clock, 10_000);
  over = true;
  const small = sum(sent.slice(0, 2));
  assert.ok(Math.abs(small - 2_000_000) <= 60_000, `${small} B of the limited file`);
  assert.ok(Math.abs(sum(sent) - 10_000_000) <= 300_000, `${sum(sent)} B in all`);
  limits.close();
  await setImmediate();
});

test('limits that come, change and go hold at once for what is being sent', async () => {
  const clock = new ManualClock();
  const limits = new UploadLimits(clock, 100_000);
  let over = false;
  const sent = writers(sharing(limits), ['S1', 'S2'], () => over);
  const keeps = async (rate: number) => {
    // What had its turn already goes first.
    await pass(clock, 500);
    const before = sum(sent);
    await pass(clock, 10_000);
    const bytes = sum(sent) - before;
    assert.ok(Math.abs(bytes - rate * 10) <= rate * 0.3, `${bytes} B in 10 s at ${rate} B/s`);
  };
  await keeps(100_000);
  limits.rate = 300_000;
  await keeps(300_000);
  limits.limitFile(SMALL, 50_000);
  await keeps(50_000);
  limits.limitFile(SMALL, 150_000);
  await keeps(150_000);
  limits.limitFile(SMALL, null);
  await keeps(300_000);
  over = true;
  limits.close();
  await setImmediate();
  assert.equal(limits.waiting, 0);
  assert.deepEqual(clock.pending, []);
});

test('who gives up while it waits for its file takes nothing of the whole', async () => {
  const clock = new ManualClock();
  const limits = new UploadLimits(clock, 1_000);
  limits.limitFile(SMALL, 1_000);
  const pace = limits.pace(SMALL, '1');
  assert.equal(pace.wait(600), null);
  const wait = pace.wait(600)!;
  wait.cancel();
  await wait.over;
  assert.equal(limits.waiting, 0);
  limits.limitFile(SMALL, null);
  assert.deepEqual(clock.pending, []);
  const next = limits.pace(LARGE, '2').wait(1)!;
  assert.deepEqual(clock.pending, [500], 'only the first 600 B were charged');
  next.cancel();
});

test('who gives up while it waits for the whole is let go', async () => {
  const clock = new ManualClock();
  const limits = new UploadLimits(clock, 1_000);
  limits.limitFile(SMALL, 1_000_000);
  limits.pace(SMALL, '1').wait(100_100);
  const wait = limits.pace(SMALL, '1').wait(10)!;
  clock.advance(10);
  await setImmediate();
  assert.equal(limits.waiting, 1, 'the file’s limit has let it through');
  wait.cancel();
  await wait.over;
  assert.equal(limits.waiting, 0);
  assert.deepEqual(clock.pending, []);
});
