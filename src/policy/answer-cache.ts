/**
 * What searches found elsewhere, for a while: to be asked for where it was, instead of being searched for again.
 *
 * Invariant: at most `room` answers, each once, those found last; none is given that was found more than ANSWER_AGE_MS ago.
 */
import type { HostPort } from '../model/address.js';
import { formatHostPort } from '../model/address.js';
import { foldName, parseFileQuery } from '../model/file-query.js';
import type { FileMd5 } from '../model/ids.js';

export const ANSWER_AGE_MS = 3_600_000;
const DEFAULT_ROOM = 2_000;

/** A file, and a tracker that indexes it. */
export interface FoundAnswer {
  readonly md5: FileMd5;
  readonly name: string;
  readonly tracker: HostPort;
}

export interface KeptAnswer extends FoundAnswer {
  /** Milliseconds, when it was found last. */
  readonly at: number;
}

/** What makes two answers the same: Filemd5 and tracker. */
export function answerKey({ md5, tracker }: Pick<FoundAnswer, 'md5' | 'tracker'>): string {
  return `${md5} ${formatHostPort(tracker.host, tracker.port)}`;
}

export class AnswerCache {
  readonly #room: number;
  /** The longest ago found first. */
  readonly #answers = new Map<string, KeptAnswer>();

  constructor(room = DEFAULT_ROOM) {
    this.#room = room;
  }

  /** It was found, or is there still. Times are in milliseconds and never go back, here and below. */
  add({ md5, name, tracker }: FoundAnswer, now: number): void {
    const key = answerKey({ md5, tracker });
    this.#answers.delete(key);
    this.#answers.set(key, { md5, name, tracker, at: now });
    if (this.#answers.size > this.#room) this.#answers.delete(this.#answers.keys().next().value!);
  }

  /** The tracker knows the file no more. */
  forget(answer: FoundAnswer): void {
    this.#answers.delete(answerKey(answer));
  }

  /** Those that match the text as LOOK compares, the latest first. */
  matching(text: string, now: number): KeptAnswer[] {
    const query = parseFileQuery(text);
    if (query === null) return [];
    const { name, md5Prefix } = query;
    return this.recent(now).filter(
      (answer) =>
        foldName(answer.name).includes(name) || (md5Prefix !== null && answer.md5.startsWith(md5Prefix)),
    );
  }

  /** All that are not too old, the latest first. */
  recent(now: number): KeptAnswer[] {
    return [...this.#answers.values()].filter(({ at }) => now - at <= ANSWER_AGE_MS && at <= now).reverse();
  }
}
