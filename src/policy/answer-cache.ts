/**
 * The answers that came to our own searches lately, to begin the next like search with.
 *
 * Invariant: at most `texts` texts, those of the latest answers, with at most `answersEach` answers each, the latest ones;
 * an answer that is older than `ageMs` is never given.
 */
import { foldName } from '../model/file-query.js';

export interface AnswerCacheInit {
  /** Default: 256. */
  readonly texts?: number;
  /** Default: 100. */
  readonly answersEach?: number;
  /** Milliseconds. Default: 5 minutes. */
  readonly ageMs?: number;
}

/** An answer and when it came, in milliseconds. */
interface Aged<Answer> {
  readonly answer: Answer;
  readonly at: number;
}

export class AnswerCache<Answer> {
  readonly #texts: number;
  readonly #answersEach: number;
  readonly #ageMs: number;
  readonly #cached = new Map<string, Map<string, Aged<Answer>>>();

  constructor({ texts = 256, answersEach = 100, ageMs = 300_000 }: AnswerCacheInit = {}) {
    this.#texts = texts;
    this.#answersEach = answersEach;
    this.#ageMs = ageMs;
  }

  /** Answers with one `key` (Filemd5 and tracker) replace each other. `now` is in milliseconds. */
  remember(text: string, key: string, answer: Answer, now: number): void {
    const folded = foldName(text.trim());
    const answers = this.#cached.get(folded) ?? new Map<string, Aged<Answer>>();
    answers.delete(key);
    answers.set(key, { answer, at: now });
    if (answers.size > this.#answersEach) deleteFirst(answers);
    this.#cached.delete(folded);
    this.#cached.set(folded, answers);
    if (this.#cached.size > this.#texts) deleteFirst(this.#cached);
  }

  /** By key, the answers to the same text, the oldest first. */
  recall(text: string, now: number): Map<string, Answer> {
    const recalled = new Map<string, Answer>();
    for (const [key, { answer, at }] of this.#cached.get(foldName(text.trim())) ?? []) {
      if (now - at < this.#ageMs) recalled.set(key, answer);
    }
    return recalled;
  }
}

function deleteFirst(entries: Map<string, unknown>): void {
  for (const key of entries.keys()) {
    entries.delete(key);
    return;
  }
}
