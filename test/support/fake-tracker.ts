import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { digits, ipp2p, number, padded, v4Of } from './base-fields.js';

/** What the tracker does differently from request to request; tests change it while it runs. */
export interface TrackerHabits {
  /** Closed without a byte. */
  refuses: (request: SeenRequest) => boolean;
  /** Answered only after `release()`. */
  holds: (request: SeenRequest) => boolean;
  /** What is sent in place of the answer. */
  alters: (request: SeenRequest, answer: Buffer) => Buffer;
  refusesLogins: boolean;
  /** Measures requests in characters after decoding UTF-8, so that it refuses names with other letters. */
  countsCharacters: boolean;
  listsTheAsker: boolean;
  /** An ADDR for a known file only renames it and adds no owner. */
  onlyRenames: boolean;
  /** LOOK also matches the beginning of Filemd5. */
  findsPrefixes: boolean;
  /** After an answer: `close`, leave the connection open and read no more (`ignore`), or read on (`again`). */
  after: 'close' | 'ignore' | 'again';
  /** Answers LOGO with NLOG. */
  letsNobodyGo: boolean;
  /** Sends every answer in segments of one byte. */
  byteByByte: boolean;
}

export interface SeenRequest {
  readonly command: string;
  readonly session: string;
  readonly md5: string;
  readonly part: number;
  readonly text: string;
  /** 60 characters IPP2P.PP2P of a LOGI. */
  readonly address: string;
  /** Which connection it came on, counted from 0. */
  readonly connection: number;
}

export interface PublishedFile {
  readonly md5: string;
  readonly name: string;
  readonly fileSize: number;
  readonly partSize: number;
  readonly owners?: readonly { v4: string; v6?: string; port: number; parts: readonly number[] }[];
}

interface File {
  name: string;
  readonly fileSize: number;
  readonly partSize: number;
  readonly partCount: number;
  /** Parts by the 60 characters of the owner's address. */
  readonly owners: Map<string, Set<number>>;
}

const LENGTHS: Record<string, number> = { LOGI: 64, ADDR: 168, LOOK: 40, FCHU: 52, RPAD: 60, LOGO: 20 };

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
  /** Address by session. */
  readonly #sessions = new Map<string, string>();
  readonly #files = new Map<string, File>();
  #lastSession = 0;

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
    this.#sessions.clear();
    this.#files.clear();
  }

  forgetSessions(): void {
    this.#sessions.clear();
  }

  publish(file: PublishedFile): void {
    const owners = (file.owners ?? []).map(
      ({ v4, v6, port, parts }) => [ipp2p(v4, v6 ?? null) + digits(port, 5), new Set(parts)] as const,
    );
    const partCount = Math.ceil(file.fileSize / file.partSize);
    this.#files.set(file.md5, { ...file, partCount, owners: new Map(owners) });
  }

  /** The parts that all owners have, by `IPv4:port`; null for a file it does not know. */
  owners(md5: string): Record<string, number[]> | null {
    const file = this.#files.get(md5);
    if (file === undefined) return null;
    const readable = [...file.owners].map(([key, parts]) => [
      `${v4Of(key.slice(0, 55))}:${Number.parseInt(key.slice(55), 10)}`,
      [...parts].sort((a, b) => a - b),
    ]);
    return Object.fromEntries(readable);
  }

  nameOf(md5: string): string | undefined {
    return this.#files.get(md5)?.name;
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
    const from = { LOGI: 4, ADDR: 136, LOOK: 52, FCHU: 20, RPAD: 20, LOGO: 20 }[command]!;
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
    const answer = this.#answerTo(request, socket);
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

  #answerTo(request: SeenRequest, socket: Socket): Buffer | null {
    if (request.command === 'LOGI') return Buffer.from(`ALGI${this.#login(request, socket)}`);
    const address = this.#sessions.get(request.session);
    if (address === undefined) return null;
    switch (request.command) {
      case 'ADDR':
        return this.#add(request, address);
      case 'LOOK':
        return this.#look(request.text.toLowerCase());
      case 'FCHU':
        return this.#ownersFor(request.md5, address);
      case 'RPAD':
        return this.#addPart(request, address);
      default:
        return this.#logOut(request, address);
    }
  }

  #logOut({ session }: SeenRequest, address: string): Buffer {
    if (this.habits.letsNobodyGo) return Buffer.from(`NLOG${digits(0, 10)}`);
    this.#sessions.delete(session);
    for (const file of this.#files.values()) file.owners.delete(address);
    return Buffer.from(`ALOG${digits(0, 10)}`);
  }

  #login({ address }: SeenRequest, socket: Socket): string {
    const comesFromThere = v4Of(address.slice(0, 55)) === socket.remoteAddress;
    if (this.habits.refusesLogins || !comesFromThere) return '0'.repeat(16);
    for (const [session, known] of this.#sessions) if (known === address) return session;
    const session = digits(++this.#lastSession, 16);
    this.#sessions.set(session, address);
    return session;
  }

  #add(request: SeenRequest, address: string): Buffer {
    const fileSize = Number.parseInt(request.text.slice(0, 10), 10);
    const partSize = Number.parseInt(request.text.slice(10, 16), 10);
    const partCount = Math.ceil(fileSize / partSize);
    const name = request.text.slice(16);
    const known = this.#files.get(request.md5);
    const file = known ?? { name, fileSize, partSize, partCount, owners: new Map<string, Set<number>>() };
    this.#files.set(request.md5, file);
    file.name = name;
    if (known === undefined || !this.habits.onlyRenames) {
      file.owners.set(address, new Set(Array.from({ length: file.partCount }, (_, part) => part)));
    }
    return Buffer.from(`AADR${digits(file.partCount, 8)}`);
  }

  #look(text: string): Buffer {
    const found = [...this.#files].filter(
      ([md5, { name }]) =>
        text === '*' ||
        name.toLowerCase().includes(text) ||
        (this.habits.findsPrefixes && text.length >= 8 && md5.startsWith(text)),
    );
    const records = found.map(
      ([md5, file]) => md5 + padded(file.name, 100) + digits(file.fileSize, 10) + digits(file.partSize, 6),
    );
    return Buffer.from(`ALOO${digits(records.length, 3)}${records.join('')}`);
  }

  #ownersFor(md5: string, asker: string): Buffer | null {
    const file = this.#files.get(md5);
    if (file === undefined) return null;
    const owners = [...file.owners].filter(
      ([address, parts]) => parts.size > 0 && (this.habits.listsTheAsker || address !== asker),
    );
    const records = owners.map(([address, parts]) => {
      const list = Buffer.alloc(Math.ceil(file.partCount / 8));
      for (const part of parts) list[part >> 3]! |= 0x80 >> (part & 7);
      return Buffer.concat([Buffer.from(address), list]);
    });
    return Buffer.concat([Buffer.from(`AFCH${digits(records.length, 3)}`), ...records]);
  }

  #addPart({ md5, part }: SeenRequest, address: string): Buffer | null {
    const file = this.#files.get(md5);
    if (file === undefined || part >= file.partCount) return null;
    const parts = file.owners.get(address) ?? new Set();
    file.owners.set(address, parts.add(part));
    return Buffer.from(`APAD${digits(parts.size, 8)}`);
  }
}

/** The first whole request of a connection that carries several; all of it when it begins with nothing known. */
function firstRequest(bytes: Buffer): Buffer | null {
  if (bytes.length < 4) return null;
  const length = LENGTHS[bytes.toString('latin1', 0, 4)] ?? bytes.length;
  return bytes.length < length ? null : bytes.subarray(0, length);
}
