import type { Random } from './random.js';

const CONSONANTS = 'bcdfghjklmnprstvwz';
const VOWELS = 'aeiou';
const EXTENSIONS = ['.iso', '.mp3', '.mkv', '.pdf', '.tar.gz'];
const VOCABULARY = 5_000;

/** File names of made-up words; some words are in many of them, most in few. */
export class MadeUpNames {
  readonly #random: Random;
  readonly #words: readonly string[];

  constructor(random: Random) {
    this.#random = random;
    this.#words = Array.from({ length: VOCABULARY }, () => this.word());
  }

  /** A new word of 4 to 8 letters and perhaps one more. */
  word(): string {
    let word = '';
    for (let syllables = 2 + this.#below(3); syllables > 0; syllables--) {
      word += CONSONANTS[this.#below(CONSONANTS.length)]! + VOWELS[this.#below(VOWELS.length)]!;
    }
    return this.#random() < 0.3 ? word + CONSONANTS[this.#below(CONSONANTS.length)]! : word;
  }

  name(): string {
    const words = Array.from({ length: 2 + this.#below(2) }, () => this.#known());
    return words.join(' ') + EXTENSIONS[this.#below(EXTENSIONS.length)]!;
  }

  md5(): string {
    const digits = () =>
      this.#below(2 ** 32)
        .toString(16)
        .padStart(8, '0');
    return digits() + digits() + digits() + digits();
  }

  /** The n-th word about 1/n as often as the first. */
  #known(): string {
    return this.#words[Math.floor(VOCABULARY ** this.#random()) - 1]!;
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }
}
