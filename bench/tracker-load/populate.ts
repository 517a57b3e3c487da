import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../src/model/address.js';
import { parseSessionId, REFUSED_SESSION, type SessionId } from '../../src/model/ids.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import type { Request } from '../../src/protocol/messages.js';
import {
  addressOfPeer,
  md5OfFile,
  nameOfFile,
  PART_SIZE,
  type PopulationSize,
  partsOfPeer,
  swarmedFiles,
} from './population.js';

/** Requests sent in one write before their answers are read. */
const BATCH = 500;
const COMMAND = 4;
const ALGI_BYTES = 20;
const AADR_BYTES = 12;
const APAD_BYTES = 12;

/** Who the tracker now knows, besides the population's own peers. */
export interface Populated {
  /** Sessions that own nothing yet. */
  readonly askers: readonly SessionId[];
  /** The address that all of them come from. */
  readonly ip: string;
}

/** Logs in the peers of the population and `askers` more, and registers what each owns. Throws when the tracker refuses. */
export async function populate(target: HostPort, size: PopulationSize, askers: number): Promise<Populated> {
  const line = await Line.open(target);
  try {
    const peers = Array.from({ length: size.peers + askers }, (_, peer) => addressOfPeer(peer, line.ip));
    const logins = peers.map((address): Request => ({ command: 'LOGI', address }));
    const sessions = (await line.askAll(logins, ALGI_BYTES)).map(sessionOf);
    await line.askAll(registrations(size, sessions), AADR_BYTES);
    await line.askAll(reports(size, sessions), APAD_BYTES);
    return { askers: sessions.slice(size.peers), ip: line.ip };
  } finally {
    line.close();
  }
}

/** The files are shared out among the peers: each file has one source. */
function* registrations(
  { files, peers, parts }: PopulationSize,
  sessions: readonly SessionId[],
): Generator<Request> {
  for (let file = 0; file < files; file += 1) {
    const fileSize = parts * PART_SIZE;
    const [session, name, md5] = [sessions[file % peers]!, nameOfFile(file), md5OfFile(file)];
    yield { command: 'ADDR', session, fileSize, partSize: PART_SIZE, name, md5 };
  }
}

/** What the other peers own of the swarmed files. */
function* reports(size: PopulationSize, sessions: readonly SessionId[]): Generator<Request> {
  for (let file = 0; file < swarmedFiles(size); file += 1) {
    const md5 = md5OfFile(file);
    for (let peer = 0; peer < size.peers; peer += 1) {
      if (peer === file % size.peers) continue;
      for (const part of partsOfPeer(peer, file, size.parts)) {
        yield { command: 'RPAD', session: sessions[peer]!, md5, part };
      }
    }
  }
}

function sessionOf(answer: Buffer): SessionId {
  const session = parseSessionId(answer.toString('latin1', COMMAND));
  if (session === null || session === REFUSED_SESSION)
    throw new Error('the tracker refused a login of the population');
  return session;
}

/** One kept connection on which answers of a known length are awaited. */
class Line {
  readonly #socket: Socket;
  readonly #reads: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reads = socket[Symbol.asyncIterator]();
  }

  static open(target: HostPort): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...target, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Line(socket)));
    });
  }

  get ip(): string {
    return this.#socket.localAddress!;
  }

  async askAll(requests: Iterable<Request>, answerBytes: number): Promise<Buffer[]> {
    const answers: Buffer[] = [];
    let batch: Buffer[] = [];
    const ask = async () => {
      this.#socket.write(Buffer.concat(batch));
      const bytes = await this.#read(batch.length * answerBytes);
      for (let at = 0; at < bytes.length; at += answerBytes)
        answers.push(bytes.subarray(at, at + answerBytes));
      batch = [];
    };
    for (const request of requests) {
      batch.push(encodeRequest(request));
      if (batch.length === BATCH) await ask();
    }
    if (batch.length > 0) await ask();
    return answers;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #read(length: number): Promise<Buffer> {
    const parts = [this.#rest];
    let held = this.#rest.length;
    while (held < length) {
      const { done, value } = await this.#reads.next();
      if (done === true) throw new Error('the tracker refused a registration of the population');
      parts.push(value);
      held += value.length;
    }
    const bytes = Buffer.concat(parts);
    this.#rest = bytes.subarray(length);
    return bytes.subarray(0, length);
  }
}
