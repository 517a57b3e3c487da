import { digits, ipp2p, padded, v4Of } from './base-fields.js';

/** What the tracker does otherwise than our own; tests change it while it runs. */
export interface MemoryHabits {
  refusesLogins: boolean;
  listsTheAsker: boolean;
  /** An ADDR for a known file only renames it and adds no owner. */
  onlyRenames: boolean;
  /** LOOK also matches the beginning of Filemd5. */
  findsPrefixes: boolean;
  /** Answers LOGO with NLOG. */
  letsNobodyGo: boolean;
  /** Knows DELR; to the base protocol it is an unknown command. */
  withdraws: boolean;
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

interface KnownFile {
  name: string;
  readonly fileSize: number;
  readonly partSize: number;
  readonly partCount: number;
  /** Parts by the 60 characters of the owner's address. */
  readonly owners: Map<string, Set<number>>;
}

/** What a tracker of "another implementation" remembers, and its answers. Shares nothing with src. */
export class FakeTrackerMemory {
  readonly #habits: MemoryHabits;
  /** Address by session. */
  readonly #sessions = new Map<string, string>();
  readonly #files = new Map<string, KnownFile>();
  #lastSession = 0;

  constructor(habits: MemoryHabits) {
    this.#habits = habits;
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

  /** null: refused. `from` is the address that the request came from. */
  answer(request: SeenRequest, from: string | undefined): Buffer | null {
    if (request.command === 'LOGI') return Buffer.from(`ALGI${this.#login(request, from)}`);
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
      case 'DELR':
        return this.#withdraw(request, address);
      default:
        return this.#logOut(request, address);
    }
  }

  #withdraw({ md5 }: SeenRequest, address: string): Buffer | null {
    const file = this.#files.get(md5);
    if (!this.#habits.withdraws || file === undefined) return null;
    const parts = file.owners.get(address)?.size ?? 0;
    file.owners.delete(address);
    if (file.owners.size === 0) this.#files.delete(md5);
    return Buffer.from(`ADEL${digits(parts, 8)}`);
  }

  #logOut({ session }: SeenRequest, address: string): Buffer {
    if (this.#habits.letsNobodyGo) return Buffer.from(`NLOG${digits(0, 10)}`);
    this.#sessions.delete(session);
    for (const file of this.#files.values()) file.owners.delete(address);
    return Buffer.from(`ALOG${digits(0, 10)}`);
  }

  #login({ address }: SeenRequest, from: string | undefined): string {
    const comesFromThere = v4Of(address.slice(0, 55)) === from;
    if (this.#habits.refusesLogins || !comesFromThere) return '0'.repeat(16);
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
    if (known === undefined || !this.#habits.onlyRenames) {
      file.owners.set(address, new Set(Array.from({ length: file.partCount }, (_, part) => part)));
    }
    return Buffer.from(`AADR${digits(file.partCount, 8)}`);
  }

  #look(text: string): Buffer {
    const found = [...this.#files].filter(
      ([md5, { name }]) =>
        text === '*' ||
        name.toLowerCase().includes(text) ||
        (this.#habits.findsPrefixes && text.length >= 8 && md5.startsWith(text)),
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
      ([address, parts]) => parts.size > 0 && (this.#habits.listsTheAsker || address !== asker),
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
