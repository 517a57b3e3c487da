import { createHash } from 'node:crypto';
import type { NodeAddress } from '../../src/model/address.js';
import { type FileMd5, parseFileMd5 } from '../../src/model/ids.js';
import { cutUtf8 } from '../../src/model/utf8.js';
import { RICERCA_LENGTH } from '../../src/protocol/limits.js';

/** What the tracker under load knows; everything else about it follows from these numbers. */
export interface PopulationSize {
  /** Each with a name of its own and one source at least. */
  readonly files: number;
  /** Owners of each of the swarmed files; the other files are shared out among them as sources. */
  readonly peers: number;
  /** Of every file. */
  readonly parts: number;
}

/** Any LenPart does: a tracker sees no payload. With this one a file of the most parts is within LenFile. */
export const PART_SIZE = 32_768;
/** Files whose names share the text that a LOOK asks for. */
export const SERIES = 20;
/** Files that are asked for by FCHU, at most. */
const MOST_SWARMED = 100;
/** A login is proven by its IPv4 half; the ports of one address are enough for so many. */
const PORTS = 60_000;
const FIRST_PORT = 1_024;

const FIRST_WORDS = ['quiet', 'Silver', 'last', 'Hidden', 'green', 'Broken', 'distant', 'seventh'];
const SECOND_WORDS = ['river', 'Garden', 'signal', 'Winter', 'harbour', 'Engine', 'letter', 'Orchard'];

/** How many of the files have a swarm of `peers` owners with different parts: the first ones. */
export function swarmedFiles({ files }: PopulationSize): number {
  return Math.min(MOST_SWARMED, Math.ceil(files / 2));
}

export function md5OfFile(file: number): FileMd5 {
  return parseFileMd5(createHash('md5').update(`file ${file} of the tracker bench`).digest('hex'))!;
}

/** Such as `Silver Garden qkzbe 07.mkv`; SERIES files in a row differ in the number only. */
export function nameOfFile(file: number): string {
  const series = Math.floor(file / SERIES);
  const first = FIRST_WORDS[series % FIRST_WORDS.length]!;
  return `${first} ${endOfSeries(series)} ${String(file % SERIES).padStart(2, '0')}.mkv`;
}

/** A LOOK for the files of one series and no others: the middle of their names. */
export function searchFor(series: number): string {
  return cutUtf8(endOfSeries(series).toLowerCase(), RICERCA_LENGTH);
}

function endOfSeries(series: number): string {
  const second = SECOND_WORDS[Math.floor(series / FIRST_WORDS.length) % SECOND_WORDS.length]!;
  return `${second} ${code(series)}`;
}

/** Five letters, different for each of the first 26^5 numbers, neighbours unlike each other. */
function code(number: number): string {
  // The factor has no divisor in common with 26, so that no two numbers meet.
  let rest = (number * 7_654_321) % 26 ** 5;
  let letters = '';
  for (let i = 0; i < 5; i += 1) {
    letters += String.fromCharCode(97 + (rest % 26));
    rest = Math.floor(rest / 26);
  }
  return letters;
}

/** Where peer number `peer` says it listens: on `ip`, the address that the load comes from, so that the login holds. */
export function addressOfPeer(peer: number, ip: string): NodeAddress {
  const beyond = Math.floor(peer / PORTS);
  const v6 = beyond === 0 ? null : `fd00::${beyond.toString(16)}`;
  return { v4: ip, v6, port: FIRST_PORT + (peer % PORTS) };
}

/** Parts that `peer` owns of swarmed file `file`, from 1 to all but one (of a file of one part: that); not in order. */
export function partsOfPeer(peer: number, file: number, parts: number): number[] {
  const owned = Math.max(1, (peer * 31 + file * 17) % parts);
  const first = (peer * 7 + file * 13) % parts;
  return Array.from({ length: owned }, (_, i) => (first + i) % parts);
}
