import { REFUSALS, type Refusal } from './refusal.js';

/** What a tracker answers to each command; the command of the answer is the result that is counted. */
const RESULTS = {
  LOGI: ['ALGI'],
  ADDR: ['AADR'],
  LOOK: ['ALOO'],
  FCHU: ['AFCH'],
  RPAD: ['APAD'],
  LOGO: ['ALOG', 'NLOG'],
  DELR: ['ADEL'],
  CAPS: ['ACAP'],
} as const;

export type TrackerCommand = keyof typeof RESULTS;
export function isTrackerCommand(command: string): command is TrackerCommand {
  return Object.hasOwn(RESULTS, command);
}

export type TrackerAnswer = (typeof RESULTS)[TrackerCommand][number];

export interface RequestStats {
  /** By command, then by result: the command of the answer, or `refused`. `other`: commands of other nodes. */
  readonly requests: Readonly<Record<TrackerCommand | 'other', Readonly<Record<string, number>>>>;
  readonly refusals: Readonly<Record<Refusal, number>>;
}

/** Invariant: each request adds one to `#answered`, or one to `#refused` and one to `#refusals`. */
export class RequestCounters {
  readonly #answered: Record<TrackerAnswer, number> = {
    ALGI: 0,
    AADR: 0,
    ALOO: 0,
    AFCH: 0,
    APAD: 0,
    ALOG: 0,
    NLOG: 0,
    ADEL: 0,
    ACAP: 0,
  };
  readonly #refused = { LOGI: 0, ADDR: 0, LOOK: 0, FCHU: 0, RPAD: 0, LOGO: 0, DELR: 0, CAPS: 0, other: 0 };
  readonly #refusals = Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>;

  answered(answer: TrackerAnswer): void {
    this.#answered[answer] += 1;
  }

  refused(command: TrackerCommand | 'other', reason: Refusal): void {
    this.#refused[command] += 1;
    this.#refusals[reason] += 1;
  }

  stats(): RequestStats {
    const results = (command: TrackerCommand) => ({
      ...Object.fromEntries(RESULTS[command].map((answer) => [answer, this.#answered[answer]])),
      refused: this.#refused[command],
    });
    return {
      requests: {
        LOGI: results('LOGI'),
        ADDR: results('ADDR'),
        LOOK: results('LOOK'),
        FCHU: results('FCHU'),
        RPAD: results('RPAD'),
        LOGO: results('LOGO'),
        DELR: results('DELR'),
        CAPS: results('CAPS'),
        other: { refused: this.#refused.other },
      },
      refusals: { ...this.#refusals },
    };
  }
}
