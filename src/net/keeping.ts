/**
 * Whether a node keeps its connections, found by trying (PROTOCOL.md §7.1). A node that closes after each answer is told
 * from one that refused the second request by what the repeat gets: an answer or a close. A node that neither closes
 * nor reads on shows by its silence.
 *
 * Invariant: while nothing is known, at most one request is under way that would tell, the trial; all others go
 * where they cannot be lost with it.
 */
import { type Attempt, TRIAL_MS } from './attempt.js';
import type { ExchangeFailure } from './exchange.js';
import type { Line } from './line.js';

/** Repeats that were answered, with no second answer on any connection between, after which a kept node closes. */
const DOUBTS_WHEN_KEPT = 3;

/** What is known of the node: nothing yet, that it keeps connections, or that it closes them after an answer. */
export type PipelineMode = 'unknown' | 'kept' | 'closes';

export class Keeping {
  #mode: PipelineMode = 'unknown';
  #trial: Line | null = null;
  #doubts = 0;

  get mode(): PipelineMode {
    return this.#mode;
  }

  /** True when a used connection may be tried once more. */
  get trialOpen(): boolean {
    return this.#mode === 'unknown' && this.#trial === null;
  }

  /** `attempt` is about to be sent on `line`. */
  sending(line: Line, attempt: Attempt): void {
    attempt.trial = this.#mode === 'unknown' && line.answers > 0;
    if (attempt.trial) this.#trial = line;
  }

  answered(line: Line, { doubt }: Attempt): void {
    if (this.#trial === line) this.#trial = null;
    if (line.answers > 1) {
      this.#mode = 'kept';
      this.#doubts = 0;
    } else if (doubt === 'closed' || (doubt === 'silent' && line.age <= TRIAL_MS)) {
      this.#doubts++;
      if (this.#mode !== 'kept' || this.#doubts >= DOUBTS_WHEN_KEPT) this.#mode = 'closes';
    }
  }

  /** @param idle nothing was pending */
  ended(line: Line, { kind }: ExchangeFailure, idle: boolean): void {
    if (this.#trial === line) this.#trial = null;
    if (idle && kind !== 'aborted' && line.answers === 1 && this.#mode === 'unknown') this.#mode = 'closes';
  }

  /** `attempt` is repeated because `line` ended; `head`: it was the next to be answered there. */
  repeating(line: Line, attempt: Attempt, { kind }: ExchangeFailure, head: boolean): void {
    attempt.trial = false;
    if (head && line.answers === 1) attempt.doubt = kind === 'first-byte-timeout' ? 'silent' : 'closed';
  }
}
