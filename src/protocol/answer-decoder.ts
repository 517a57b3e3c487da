import { ProtocolError } from '../core/errors.js';
import { asBuffer, COMMAND, commandCode, digits, malformed } from './fields.js';

/** Reads one answer out of bytes that may break anywhere. Every throw is a ProtocolError. */
export interface AnswerDecoder<T> {
  /** Bytes, at least 1, that are certain to belong to this answer still; 0 once it is whole. */
  readonly wanted: number;
  /**
   * Takes bytes; gives the value once it is whole, else null. Throws ProtocolError 'MALFORMED', 'OVERSIZED' (a
   * count above its bound) or 'TRAILING' (more bytes than the answer has).
   */
  push(bytes: Uint8Array): T | null;
  /** The connection ended: the whole records that arrived, or null when nothing is usable. */
  end(): T | null;
}

// Invariant: #have bytes of the answer are in #bytes; no byte beyond its length is ever kept.
/** An answer of a known length. */
export class FixedAnswer<T> implements AnswerDecoder<T> {
  readonly #bytes: Buffer;
  readonly #decode: (bytes: Buffer) => T;
  #have = 0;

  constructor(length: number, decode: (bytes: Buffer) => T) {
    this.#bytes = Buffer.allocUnsafe(length);
    this.#decode = decode;
  }

  get wanted(): number {
    return this.#bytes.length - this.#have;
  }

  push(bytes: Uint8Array): T | null {
    if (bytes.length > this.wanted) throw new ProtocolError('TRAILING', 'bytes after the answer');
    this.#bytes.set(bytes, this.#have);
    this.#have += bytes.length;
    return this.wanted === 0 && bytes.length > 0 ? this.#decode(this.#bytes) : null;
  }

  end(): null {
    return null;
  }
}

export interface BodyForm<T> {
  readonly headLength: number;
  /** Reads and bounds the length of what follows the head. */
  readonly bodyLength: (head: Buffer) => number;
  readonly decode: (head: Buffer, body: Buffer) => T;
}

// Invariant: #reading is the head until #head is set, then the body.
/** A head of a known length that says how long the body is. */
export class BodyAnswer<T> implements AnswerDecoder<T> {
  readonly #form: BodyForm<T>;
  #reading: FixedAnswer<Buffer>;
  #head: Buffer | null = null;

  constructor(form: BodyForm<T>) {
    this.#form = form;
    this.#reading = new FixedAnswer(form.headLength, (bytes) => bytes);
  }

  get wanted(): number {
    return this.#reading.wanted;
  }

  push(bytes: Uint8Array): T | null {
    if (this.#head !== null) return this.#pushBody(bytes, this.#head);
    const rest = this.#reading.wanted;
    const head = this.#reading.push(bytes.subarray(0, rest));
    if (head === null) return null;
    this.#head = head;
    const length = this.#form.bodyLength(head);
    this.#reading = new FixedAnswer(length, (body) => body);
    if (length > 0) return this.#pushBody(bytes.subarray(rest), head);
    if (bytes.length > rest) throw new ProtocolError('TRAILING', 'bytes after the answer');
    return this.#form.decode(head, Buffer.alloc(0));
  }

  end(): null {
    return null;
  }

  #pushBody(bytes: Uint8Array, head: Buffer): T | null {
    const body = this.#reading.push(bytes);
    return body === null ? null : this.#form.decode(head, body);
  }
}

export interface RecordForm<R> {
  readonly command: string;
  /** Digits of the count after the command. */
  readonly countDigits: number;
  /** The fewest and the most records that are accepted. */
  readonly minCount: number;
  readonly maxCount: number;
  /** Bytes of one record. */
  readonly recordLength: number;
  /** Whether the first records of an answer that was cut are of use without the rest. */
  readonly usableWhenCut: boolean;
  /** The record at `at`, or null for one that is useless by itself and left out. */
  readonly decode: (bytes: Buffer, at: number) => R | null;
}

// Invariant: #partial holds the first #have bytes of what is read now (the header, then one record), and nothing
// else of the answer is kept but the decoded records: memory grows with the bytes that came, never with the count.
/** A command, a count, and that many records of one length. */
export class RecordsAnswer<R> implements AnswerDecoder<R[]> {
  readonly #form: RecordForm<R>;
  readonly #headerLength: number;
  readonly #records: R[] = [];
  #partial: Buffer;
  #have = 0;
  /** Records still to come; -1 until the header is whole. */
  #left = -1;

  constructor(form: RecordForm<R>) {
    this.#form = form;
    this.#headerLength = COMMAND + form.countDigits;
    this.#partial = Buffer.allocUnsafe(this.#headerLength);
  }

  get wanted(): number {
    if (this.#left < 0) return this.#headerLength - this.#have;
    return this.#left * this.#form.recordLength - this.#have;
  }

  push(bytes: Uint8Array): R[] | null {
    const chunk = asBuffer(bytes);
    let at = 0;
    if (this.#left < 0) {
      at = this.#fill(chunk, 0, this.#headerLength);
      if (this.#have < this.#headerLength) return null;
      this.#left = this.#readHeader();
      this.#have = 0;
      this.#partial = Buffer.allocUnsafe(this.#left === 0 ? 0 : this.#form.recordLength);
    }
    if (chunk.length - at > this.wanted) throw new ProtocolError('TRAILING', 'bytes after the answer');
    this.#readRecords(chunk, at);
    return this.#left === 0 ? this.#records : null;
  }

  end(): R[] | null {
    return this.#form.usableWhenCut && this.#records.length > 0 ? this.#records : null;
  }

  #readRecords(chunk: Buffer, from: number): void {
    const { recordLength } = this.#form;
    let at = from;
    if (this.#have > 0) {
      at = this.#fill(chunk, at, recordLength);
      if (this.#have < recordLength) return;
      this.#have = 0;
      this.#take(this.#partial, 0);
    }
    for (; this.#left > 0 && chunk.length - at >= recordLength; at += recordLength) this.#take(chunk, at);
    this.#fill(chunk, at, recordLength);
  }

  #take(bytes: Buffer, at: number): void {
    const record = this.#form.decode(bytes, at);
    this.#left--;
    if (record !== null) this.#records.push(record);
  }

  /** Copies into #partial until it has `length` bytes; returns where the chunk goes on. */
  #fill(chunk: Buffer, at: number, length: number): number {
    const end = Math.min(chunk.length, at + length - this.#have);
    this.#have += chunk.copy(this.#partial, this.#have, at, end);
    return end;
  }

  #readHeader(): number {
    const { command, countDigits, minCount, maxCount } = this.#form;
    if (commandCode(this.#partial, 0) !== commandCode(Buffer.from(command), 0)) throw malformed(command);
    const count = digits(this.#partial, COMMAND, countDigits);
    if (count < minCount) throw malformed(command);
    if (count > maxCount) throw new ProtocolError('OVERSIZED', `${command} with ${count} records`);
    return count;
  }
}
