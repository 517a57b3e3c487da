/**
 * `node dist/bench/part-picker.js [--parts N] [--json]`: nanoseconds a pick and an update of the part picker take, with
 * a complete owner and with one that has half of the parts.
 */
import { parseArgs } from 'node:util';
import type { PartIndex } from '../src/model/ids.js';
import { PartList } from '../src/model/part-list.js';
import { PartPicker } from '../src/policy/part-picker.js';
import { median, Report } from './lib/report.js';

const { values } = parseArgs({
  options: { parts: { type: 'string', default: '100000' }, json: { type: 'boolean', default: false } },
});
const ROUNDS = 9;
const parts = Number(values.parts);
const all = PartList.full(parts);
const half = PartList.empty(parts);
for (let part = 0; part < parts; part++) if (Math.random() < 0.5) half.add(part);

/** A picker that knows 20 incomplete owners. */
function picker(): PartPicker {
  const made = new PartPicker(parts, { random: Math.random });
  for (let part = 0 as PartIndex; part < parts; part++) {
    for (let owners = Math.floor(Math.random() * 20); owners > 0; owners--) made.partAdded(part);
  }
  return made;
}

/** Nanoseconds each of `count` calls takes; the median of some rounds. */
function timed(count: number, prepare: () => () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const work = prepare();
    const started = performance.now();
    work();
    return ((performance.now() - started) * 1e6) / count;
  });
  return median(rounds);
}

function picks(from: PartList, count: number): () => () => void {
  return () => {
    const made = picker();
    return () => {
      for (let pick = 0; pick < count; pick++) made.requested(made.pick(from)!);
    };
  };
}

const report = new Report('part-picker', values.json);
report.result('pick-from-complete-owner', timed(parts, picks(all, parts)), 'ns');
report.result('pick-from-half-owner', timed(parts / 4, picks(half, Math.floor(parts / 4))), 'ns');
report.result(
  'update',
  timed(parts, () => {
    const made = picker();
    return () => {
      for (let part = 0 as PartIndex; part < parts; part++) made.partAdded(part);
    };
  }),
  'ns',
);
