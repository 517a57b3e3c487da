import { DynamicQuery } from '../../src/policy/dynamic-query.js';
import type { SearchScenario } from './search-scenario.js';

/** What an asker sends to one of its neighbours; sends of one round carry one Pktid. */
interface AskerSend {
  readonly neighbour: string;
  readonly ttl: number;
  readonly packetRound: number;
}

/** Decides what a query sends and when it ends, as `DynamicQuery` does. */
export interface Asker {
  advance(now: number): {
    readonly sends: readonly AskerSend[];
    readonly wakeInMs: number | null;
    readonly done: string | null;
  };
  answered(key: string): void;
}

/** Until all answers to a TTL of 4 have come. */
const PATIENCE_MS = 2_000;

/** The asker of any strategy whose messages relays know. */
export function askerOf(scenario: SearchScenario, neighbours: readonly string[]): Asker {
  const { strategy, want, maximumTtl, degree } = scenario;
  const dynamic = () => new DynamicQuery({ neighbours, want, maximumTtl, relayDegree: degree });
  switch (strategy) {
    case 'dynamic':
      return dynamic();
    case 'one-pktid':
      return new OnePacketAsker(dynamic());
    case 'flooding':
      return new RingAsker(neighbours, [maximumTtl], want);
    default: {
      const ttls = Array.from({ length: maximumTtl }, (_, at) => at + 1);
      return new RingAsker(neighbours, ttls, want);
    }
  }
}

/** Asks as another does, but under one Pktid: whoever has seen it passes nothing on. */
class OnePacketAsker implements Asker {
  readonly #asker: Asker;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  advance(now: number): ReturnType<Asker['advance']> {
    const step = this.#asker.advance(now);
    return { ...step, sends: step.sends.map((send) => ({ ...send, packetRound: 0 })) };
  }

  answered(key: string): void {
    this.#asker.answered(key);
  }
}

/** Asks all neighbours with one TTL after the other, each under a Pktid of its own, until there are enough answers. */
class RingAsker implements Asker {
  readonly #neighbours: readonly string[];
  readonly #ttls: number[];
  readonly #want: number;
  readonly #answers = new Set<string>();
  #wakeAt = 0;

  constructor(neighbours: readonly string[], ttls: readonly number[], want: number) {
    this.#neighbours = neighbours;
    this.#ttls = [...ttls];
    this.#want = want;
  }

  answered(key: string): void {
    this.#answers.add(key);
  }

  advance(now: number): ReturnType<Asker['advance']> {
    if (now < this.#wakeAt) return { sends: [], wakeInMs: this.#wakeAt - now, done: null };
    const ttl = this.#answers.size >= this.#want ? undefined : this.#ttls.shift();
    if (ttl === undefined) return { sends: [], wakeInMs: null, done: 'done' };
    this.#wakeAt = now + PATIENCE_MS;
    const sends = this.#neighbours.map((neighbour) => ({ neighbour, ttl, packetRound: ttl }));
    return { sends, wakeInMs: PATIENCE_MS, done: null };
  }
}
