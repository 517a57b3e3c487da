import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DynamicQuery, type QuerySend, type QueryStep } from '../../src/policy/dynamic-query.js';
import { SEEDED } from '../support/arbitraries.js';

const SIXTEEN = Array.from({ length: 16 }, (_, at) => `n${at}`);

/** Lets a query run to its end; `answersTo` gives how many new answers the sends of a step bring. */
function run(query: DynamicQuery, answersTo: (sends: readonly QuerySend[]) => number): QueryStep[] {
  const steps: QueryStep[] = [];
  let answers = 0;
  for (let now = 0; steps.length < 1_000; ) {
    const step = query.advance(now);
    steps.push(step);
    if (step.done !== null) return steps;
    const until = answers + answersTo(step.sends);
    for (; answers < until; answers++) query.answered(`answer ${answers}`);
    now += step.wakeInMs!;
  }
  throw new Error('the query has no end');
}

function reach(sends: readonly QuerySend[]): number {
  return sends.reduce((sum, { ttl }) => sum + (15 ** ttl - 1) / 14, 0);
}

function flatSends(steps: readonly QueryStep[]): QuerySend[] {
  return steps.flatMap(({ sends }) => [...sends]);
}

describe('a dynamic query', () => {
  it('probes three neighbours with a TTL of 2 first', () => {
    const { sends } = new DynamicQuery({ neighbours: SIXTEEN, maximumTtl: 4 }).advance(0);
    assert.deepEqual(
      sends.map(({ neighbour, ttl }) => [neighbour, ttl]),
      [
        ['n0', 2],
        ['n1', 2],
        ['n2', 2],
      ],
    );
  });

  it('waits for the answers and ends as soon as there are enough', () => {
    const query = new DynamicQuery({ neighbours: SIXTEEN, want: 2, maximumTtl: 4 });
    const first = query.advance(1_000);
    query.answered('x');
    query.answered('x');
    assert.deepEqual(query.advance(1_100), { sends: [], wakeInMs: first.wakeInMs! - 100, done: null });
    query.answered('y');
    assert.deepEqual(query.advance(1_200), { sends: [], wakeInMs: null, done: 'enough' });
  });

  it('learns as much of an answer that it knew when that is brought as well', () => {
    const second = (known: boolean, brought: boolean) => {
      const query = new DynamicQuery({ neighbours: SIXTEEN, want: 10, maximumTtl: 4 });
      const answers = ['a', 'b', 'c', 'd', 'e'];
      if (known) for (const answer of answers) query.answered(answer);
      query.advance(0);
      if (brought) for (const answer of answers) query.answered(answer);
      return query.advance(10_000).sends;
    };
    assert.deepEqual(second(true, true), second(false, true));
    assert.notDeepEqual(second(true, true), second(true, false));
  });

  it('asks nobody when enough was known before', () => {
    const query = new DynamicQuery({ neighbours: SIXTEEN, want: 1, maximumTtl: 4 });
    query.answered('own');
    assert.deepEqual(query.advance(0), { sends: [], wakeInMs: null, done: 'enough' });
  });

  it('asks for the common little and for the rare much', () => {
    const spent = [0.2, 0.05, 0.005].map((share) => {
      const query = new DynamicQuery({ neighbours: SIXTEEN, maximumTtl: 4 });
      let due = 0;
      const steps = run(query, (sends) => {
        due += share * reach(sends);
        const whole = Math.floor(due);
        due -= whole;
        return whole;
      });
      assert.equal(steps.at(-1)!.done, 'enough');
      return reach(flatSends(steps));
    });
    assert.ok(spent[0]! < 300 && spent[1]! < 1_000 && spent[2]! < 6_000, String(spent));
    assert.ok(spent[0]! < spent[1]! && spent[1]! < spent[2]!, String(spent));
  });

  it('ends after a tenth of the horizon with one answer, and goes on without', () => {
    const horizon = 16 * 3_616;
    const found = run(new DynamicQuery({ neighbours: SIXTEEN, maximumTtl: 4 }), (sends) =>
      sends.some(({ ttl }) => ttl === 3) && sends[0]!.neighbour === 'n3' ? 1 : 0,
    );
    assert.equal(found.at(-1)!.done, 'one-and-a-tenth');
    const spent = reach(flatSends(found));
    assert.ok(spent <= horizon / 10 && spent > horizon / 10 - 241, String(spent));

    const nothing = run(new DynamicQuery({ neighbours: SIXTEEN, maximumTtl: 4 }), () => 0);
    assert.equal(nothing.at(-1)!.done, 'exhausted');
    assert.equal(flatSends(nothing).filter(({ ttl }) => ttl === 4).length, 16);
  });

  it('goes on for another tenth when that should bring all that are wanted', () => {
    const query = new DynamicQuery({ neighbours: SIXTEEN, maximumTtl: 4 });
    let due = 0;
    const steps = run(query, (sends) => {
      due += 0.0025 * reach(sends);
      const whole = Math.floor(due);
      due -= whole;
      return whole;
    });
    assert.equal(steps.at(-1)!.done, 'enough');
    const spent = reach(flatSends(steps));
    assert.ok(spent > 5_786 && spent <= 2 * 5_786, String(spent));
  });

  it('gives each round a Pktid of its own and asks those first that have answered before', () => {
    const query = new DynamicQuery({ neighbours: SIXTEEN, favoured: 2, maximumTtl: 4 });
    const steps = run(query, () => 0).filter(({ sends }) => sends.length > 0);
    for (const [round, { sends }] of steps.entries()) {
      assert.ok(sends.every(({ packetRound }) => packetRound === round));
      assert.deepEqual(
        query.askedIn(round),
        sends.map(({ neighbour }) => neighbour),
      );
    }
    const sends = flatSends(steps);
    for (const ttl of [2, 3, 4]) assert.equal(sends.find((send) => send.ttl === ttl)!.neighbour, 'n0');
  });

  it('asks nobody twice with one TTL, respects the maximum and has an end, whatever comes', () => {
    const scenario = fc.record({
      neighbours: fc.array(fc.constantFrom(...SIXTEEN), { maxLength: 16 }),
      favoured: fc.nat(16),
      want: fc.integer({ min: 1, max: 40 }),
      maximumTtl: fc.integer({ min: 1, max: 7 }),
      relayDegree: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(scenario, fc.array(fc.nat(10), { minLength: 1, maxLength: 20 }), (init, answers) => {
        let at = 0;
        const query = new DynamicQuery(init);
        const steps = run(query, () => answers[at++ % answers.length]!);
        const sends = flatSends(steps);
        assert.equal(new Set(sends.map(({ neighbour, ttl }) => `${neighbour} ${ttl}`)).size, sends.length);
        assert.ok(sends.every(({ ttl }) => ttl >= 1 && ttl <= init.maximumTtl));
        assert.ok(steps.slice(0, -1).every(({ wakeInMs, sends }) => wakeInMs! > 0 && sends.length > 0));
        const { done } = steps.at(-1)!;
        assert.equal(done === 'enough', query.answers === init.want);
        if (done === 'one-and-a-tenth') assert.ok(query.answers > 0);
      }),
      SEEDED,
    );
  });
});
