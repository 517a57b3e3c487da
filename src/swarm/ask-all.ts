import type { Clock, Timer } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';

/** Milliseconds that slower ones get after one has found something. */
const GRACE_MS = 500;

export interface Question<Asked, T> {
  /** Rejects with OperationalErrors only. */
  readonly ask: (one: Asked) => Promise<T>;
  /** The answer is worth not waiting long for others. */
  readonly isFound: (value: T) => boolean;
  /** Given answers that come after `askAll` has resolved. */
  readonly late?: (value: T) => void;
  readonly clock: Clock;
}

export interface Answer<Asked, T> {
  readonly from: Asked;
  readonly value: T;
}

/**
 * Asks all at once and gives the answers in the order of those asked. Waits for everybody until something is found,
 * then GRACE_MS more. Rejects with an OperationalError when everybody failed.
 */
export async function askAll<Asked, T>(
  all: readonly Asked[],
  { ask, isFound, late, clock }: Question<Asked, T>,
): Promise<Answer<Asked, T>[]> {
  const answers = new Map<Asked, T>();
  const errors: OperationalError[] = [];
  let isOver = false;
  let grace: Timer | null = null;
  let stopWaiting = () => {};
  const graceEnded = new Promise<void>((resolve) => {
    stopWaiting = resolve;
  });
  const answered = all.map(async (one) => {
    try {
      const value = await ask(one);
      if (isOver) return late?.(value);
      answers.set(one, value);
      if (isFound(value)) grace ??= clock.after(GRACE_MS, stopWaiting);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      errors.push(error);
    }
  });
  await Promise.race([Promise.all(answered), graceEnded]);
  isOver = true;
  (grace as Timer | null)?.cancel();
  if (errors.length === all.length) throw joined(errors);
  return all.flatMap((from) => (answers.has(from) ? [{ from, value: answers.get(from) as T }] : []));
}

/** One error that says what each of `errors`, at least one, says. */
export function joined(errors: readonly OperationalError[]): OperationalError {
  const [first, ...others] = errors as [OperationalError, ...OperationalError[]];
  if (others.length === 0) return first;
  return new OperationalError(first.trouble, first.code, errors.map(({ message }) => message).join('; '));
}
