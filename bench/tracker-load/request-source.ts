import type { SessionId } from '../../src/model/ids.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import {
  addressOfPeer,
  md5OfFile,
  type PopulationSize,
  SERIES,
  searchFor,
  swarmedFiles,
} from './population.js';

/** The requests a load consists of; the number of one stands for it in a queue of bytes. */
export const KINDS = ['LOGI', 'LOOK', 'FCHU', 'RPAD'] as const;
export type Kind = 0 | 1 | 2 | 3;
/** Of each kind, in the order of KINDS; only their ratios matter. */
export type Mix = readonly [logi: number, look: number, fchu: number, rpad: number];

/** That of a busy swarm: mostly reports of parts. */
export const MIXED_LOAD: Mix = [2, 3, 15, 80];

/** Bytes of the longest request of a load, LOGI. */
export const LONGEST_REQUEST = 64;
/** Requests of one kind that are encoded before the load begins and then repeated. */
const ENCODED = 1_000;
const RPAD = 3;
const RPAD_PART_AT = 52;
const RPAD_PART_END = 60;

export interface SourceInit {
  readonly population: PopulationSize;
  readonly mix: Mix;
  /** Who asks. */
  readonly session: SessionId;
  /** Different for each source of a load, from 0: where in the files its download begins. */
  readonly number: number;
  /** The address that the load comes from. */
  readonly ip: string;
}

/**
 * What one peer asks. Its RPADs are those of a peer that downloads one file after the other, each part once; its
 * searches, logins and questions for owners go round over the whole population.
 */
export class RequestSource {
  readonly #init: SourceInit;
  readonly #total: number;
  /** By kind. */
  readonly #encoded: readonly Buffer[][];
  readonly #next = [0, 0, 0];
  #rpad: Buffer;
  #file: number;
  #part = 0;

  constructor(init: SourceInit) {
    this.#init = init;
    const { population, mix, session, number, ip } = init;
    this.#total = mix.reduce((sum, weight) => sum + weight, 0);
    const series = Math.ceil(population.files / SERIES);
    const each = (weight: number, most: number, make: (i: number) => Buffer) =>
      weight === 0 ? [] : Array.from({ length: Math.min(ENCODED, most) }, (_, i) => make(number + i));
    this.#encoded = [
      each(mix[0], population.peers, (i) =>
        encodeRequest({ command: 'LOGI', address: addressOfPeer(i % population.peers, ip) }),
      ),
      each(mix[1], series, (i) =>
        encodeRequest({ command: 'LOOK', session, text: searchFor((i * 7_919) % series) }),
      ),
      each(mix[2], swarmedFiles(population), (i) =>
        encodeRequest({ command: 'FCHU', session, md5: md5OfFile(i % swarmedFiles(population)) }),
      ),
    ];
    this.#file = number * 997;
    this.#rpad = this.#nextFile();
  }

  /** Writes the next request to `bytes` at `at`; `random` is from [0, 1). Gives its kind. */
  write(bytes: Buffer, at: number, random: number): Kind {
    const kind = this.#choose(random * this.#total);
    if (kind === RPAD) this.#writeRpad(bytes, at);
    else this.#repeated(kind).copy(bytes, at);
    return kind;
  }

  #choose(at: number): Kind {
    const { mix } = this.#init;
    let rest = at;
    for (let kind = 0; kind < RPAD; kind += 1) {
      rest -= mix[kind]!;
      if (rest < 0) return kind as Kind;
    }
    return RPAD;
  }

  #repeated(kind: number): Buffer {
    const encoded = this.#encoded[kind]!;
    const next = this.#next[kind]!;
    this.#next[kind] = next + 1 === encoded.length ? 0 : next + 1;
    return encoded[next]!;
  }

  #writeRpad(bytes: Buffer, at: number): void {
    if (this.#part === this.#init.population.parts) this.#rpad = this.#nextFile();
    this.#rpad.copy(bytes, at, 0, RPAD_PART_AT);
    let rest = this.#part++;
    for (let i = at + RPAD_PART_END - 1; i >= at + RPAD_PART_AT; i -= 1) {
      bytes[i] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }

  /** The files without a swarm, so that FCHU answers stay as long as they were; all of a population of one file. */
  #nextFile(): Buffer {
    const { population, session } = this.#init;
    const first = population.files === 1 ? 0 : swarmedFiles(population);
    const file = first + (this.#file++ % (population.files - first));
    this.#part = 0;
    return encodeRequest({ command: 'RPAD', session, md5: md5OfFile(file), part: 0 });
  }
}

/** Bytes of each kind of request. */
export const REQUEST_BYTES = [64, 40, 52, 60] as const;
