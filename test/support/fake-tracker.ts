import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { number } from './base-fields.js';
import {
  FakeTrackerMemory,
  type MemoryHabits,
  type PublishedFile,
  type SeenRequest,
} from './fake-tracker-memory.js';

/** What the tracker does otherwise than our own; tests change it while it runs. */
export interface TrackerHabits extends MemoryHabits {
  /** Closed without a byte. */
  refuses: (request: SeenRequest) => boolean;
  /** Answered only after `release()`. */
  holds: (request: SeenRequest) => boolean;
  /** What is sent in place of the answer. */
  alters: (request: SeenRequest, answer: Buffer) => Buffer;
  /** Measures requests in characters after decoding UTF-8, so that it refuses names with other letters. */
  countsCharacters: boolean;
  /** After an answer: `close`, leave the connection open and read no more (`ignore`), or read on (`again`). */
  after: 'close' | 'ignore' | 'again';
  /** Sends every answer in segments of one byte. */
  byteByByte: boolean;
}

const LENGTHS: Record<string, number> = {
  LOGI: 64,
  ADDR: 168,
  LOOK: 40,
  FCHU: 52,
  RPAD: 60,
  LOGO: 20,
  DELR: 52,
};

/**
 * A tracker of "another implementation", straight on `node:net` and sharing nothing with src: it takes the first
 * read of a connection for the whole request, answers it and closes.
 *
 * Invariant: what a base node could not have read (a request in pieces, two in one read, or one before the answer to
 * the one before) is in `violations`.
 */
export class FakeTracker {
  readonly habits: TrackerHabits = {
    refuses: () => false,
    holds: () => false,
    alters: (_request, answer) => answer,
    refusesLogins: false,
    countsCharacters: true,
    listsTheAsker: true,
    onlyRenames: true,
    findsPrefixes: false,
    after: 'close',
    letsNobodyGo: false,
    withdraws: false,
    byteByByte: false,
  };
  /** Every request that could be read, in the order in which they came. */
  readonly requests: SeenRequest[] = [];
  readonly violations: string[] = [];
  /** Reads that came after a connection's one answer. */
  ignored = 0;
  /** Connections that were opened, ever. */
  connections = 0;

  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #memory = new FakeTrackerMemory(this.habits);

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async start(port = 0): Promise<this> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server!.close(() => resolve()));
  }

  /** Loses all it knew, as after a crash. */
  forget(): void {
    this.#memory.forget();
  }

  forgetSessions(): void {
    this.#memory.forgetSessions();
  }

  publish(file: PublishedFile): void {
    this.#memory.publish(file);
  }

  /** The parts that each owner has, by `IPv4:port`; null for a file it does not know. */
  owners(md5: string): Record<string, number[]> | null {
    return this.#memory.owners(md5);
  }

  nameOf(md5: string): string | undefined {
    return this.#memory.nameOf(md5);
  }

  seen(command: string): SeenRequest[] {
    return this.requests.filter((request) => request.command === command);
  }

  /** Resolves when `condition` holds; looked at after each thing that happens here. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const watcher = () => {
        if (!condition()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** Gives the answers that were held back. */
  release(): void {
    this.habits.holds = () => false;
    for (const go of this.#held.splice(0)) go();
  }

  #happened(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #accept(socket: Socket): void {
    const connection = this.connections++;
    let turn = Promise.resolve();
    let reads = 0;
    let answered = false;
    let rest: Buffer = Buffer.alloc(0);
    const take = (bytes: Buffer) => {
      const request = this.#parse(bytes, connection);
      if (request !== null) this.requests.push(request);
      turn = turn
        .then(() => this.#answer(socket, request))
        .then(() => {
          answered = true;
        });
    };
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('end', () => void turn.then(() => socket.end()));
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#happened();
    });
    socket.on('data', (read) => {
      reads += 1;
      if (this.habits.after === 'again') {
        rest = Buffer.concat([rest, read]);
        for (let next = firstRequest(rest); next !== null; next = firstRequest(rest)) {
          rest = rest.subarray(next.length);
          take(next);
        }
      } else if (reads === 1) {
        take(read);
      } else if (!answered) {
        this.violations.push(`more after the request: ${read.toString('latin1')}`);
      } else {
        this.ignored += 1;
      }
      this.#happened();
    });
    this.#happened();
  }

  #parse(bytes: Buffer, connection: number): SeenRequest | null {
    const command = bytes.toString('latin1', 0, 4);
    if (bytes.length !== LENGTHS[command]) {
      this.violations.push(`not one request in one read: ${bytes.toString('latin1')}`);
      return null;
    }
    if (this.habits.countsCharacters && bytes.toString('utf8').length !== bytes.length) return null;
    const from = { LOGI: 4, ADDR: 136, LOOK: 52, FCHU: 20, RPAD: 20, LOGO: 20, DELR: 20 }[command]!;
    return {
      command,
      session: command === 'LOGI' ? '' : bytes.toString('latin1', 4, 20),
      md5: bytes.toString('latin1', from, from + 32),
      part: command === 'RPAD' ? number(bytes.subarray(52)) : -1,
      text: this.#textOf(command, bytes),
      address: command === 'LOGI' ? bytes.toString('latin1', 4) : '',
      connection,
    };
  }

  #textOf(command: string, bytes: Buffer): string {
    if (command === 'LOOK') return bytes.toString('utf8', 20).trimEnd();
    return command === 'ADDR'
      ? bytes.toString('latin1', 20, 36) + bytes.toString('utf8', 36, 136).trimEnd()
      : '';
  }

  async #answer(socket: Socket, request: SeenRequest | null): Promise<void> {
    if (request === null || this.habits.refuses(request)) {
      socket.destroy();
      return;
    }
    if (this.habits.holds(request)) await new Promise<void>((resolve) => this.#held.push(resolve));
    const answer = this.#memory.answer(request, socket.remoteAddress);
    if (answer === null) {
      socket.end();
      return;
    }
    await this.#write(socket, this.habits.alters(request, answer));
    if (this.habits.after === 'close') socket.end();
    this.#happened();
  }

  async #write(socket: Socket, bytes: Buffer): Promise<void> {
    const step = this.habits.byteByByte ? 1 : bytes.length;
    for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
      if (at > 0) await setImmediate();
      await new Promise<void>((resolve) => void socket.write(bytes.subarray(at, at + step), () => resolve()));
    }
  }
}

/** The first whole request of a connection that carries several; all of it when it begins with nothing known. */
function firstRequest(bytes: Buffer): Buffer | null {
  if (bytes.length < 4) return null;
  const length = LENGTHS[bytes.toString('latin1', 0, 4)] ?? bytes.length;
  return bytes.length < length ? null : bytes.subarray(0, length);
}
