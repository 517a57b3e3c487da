/** What a simulated query is judged by. Messages are QUER and what a random walk sends; answers are AQUE. */
export interface QueryCounts {
  readonly messages: number;
  /** Messages to a node that knew the query already. */
  readonly duplicates: number;
  /** Messages that a filter saved. */
  readonly filtered: number;
  /** Answers sent, those of the same node more than once included. */
  readonly answers: number;
  /** Nodes whose answers had come when the asker was done. */
  readonly hits: number;
  /** Hops of the queries that were answered, the mean; 0 without answers. */
  readonly hops: number;
  /** When the last answer that was wanted came, in milliseconds; without enough, when the asker was done. */
  readonly ms: number;
  /** Messages and answers received by whoever received the most. */
  readonly busiest: number;
}

/** Counts along with one query. */
export class QueryTally {
  messages = 0;
  duplicates = 0;
  filtered = 0;
  answers = 0;
  readonly #received: Uint32Array;
  readonly #hit = new Set<number>();
  #hops = 0;
  #hits = 0;
  #ms = -1;

  constructor(nodes: number) {
    this.#received = new Uint32Array(nodes);
  }

  /** Different nodes whose answers came. */
  get hits(): number {
    return this.#hit.size;
  }

  received(node: number): void {
    this.#received[node]!++;
  }

  answeredAfter(hops: number): void {
    this.answers++;
    this.#hops += hops;
  }

  answerCame(from: number, asker: number): void {
    this.#received[asker]!++;
    this.#hit.add(from);
  }

  /** The asker wants no more. What is under way is still counted. */
  done(now: number): void {
    this.#hits = this.#hit.size;
    this.#ms = now;
  }

  counts(): QueryCounts {
    return {
      messages: this.messages,
      duplicates: this.duplicates,
      filtered: this.filtered,
      answers: this.answers,
      hits: this.#hits,
      hops: this.answers === 0 ? 0 : this.#hops / this.answers,
      ms: this.#ms,
      busiest: this.#received.reduce((most, received) => Math.max(most, received), 0),
    };
  }
}
