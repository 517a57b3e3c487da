interface Change {
  /** What it leads to. */
  readonly state: string;
  /** When its answer came; null until then. */
  at: number | null;
}

/**
 * What a tracker was asked to change of one thing, one request after the other, since its state was last looked at.
 *
 * Invariant: only the last change may be without an answer.
 */
export class Acknowledged {
  #state: string;
  #changes: Change[] = [];

  constructor(state: string) {
    this.#state = state;
  }

  /** The request that leads to `state` leaves; call what is returned when its answer has come. */
  asked(state: string): () => void {
    const change: Change = { state, at: null };
    this.#changes.push(change);
    return () => {
      change.at = performance.now();
    };
  }

  /** Changes whose answers came before `moment`. */
  answeredBefore(moment: number): number {
    return this.#changes.filter(({ at }) => at !== null && at < moment).length;
  }

  /**
   * Of the changes answered before `moment`, whether all are in the state `found`: it is what some prefix of the
   * requests leads to that has them all. From here on the state is `found`.
   */
  settle(found: string, moment: number): boolean {
    const old = this.answeredBefore(moment);
    const allowed = [this.#state, ...this.#changes.map(({ state }) => state)].slice(old);
    this.#state = found;
    this.#changes = [];
    return allowed.includes(found);
  }
}
