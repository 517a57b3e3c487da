import { digits, ipp2p, number, padded, partsOf, v4Of } from './base-fields.js';
import { type Endpoint, Receiver } from './receiver.js';

export interface BaseFile {
  readonly md5: string;
  readonly name: string;
  readonly size: number;
  readonly partSize: number;
}

export interface BaseOwner extends Endpoint {
  readonly parts: number[];
}

export interface BaseClientOptions {
  readonly tracker: Endpoint;
  /** The address it announces and calls from. */
  readonly v4?: string;
  readonly v6?: string | null;
  /** The port it says it listens on. */
  readonly port: number;
  /** Reads on after each answer until the server closes, and takes anything that still comes for a fault. */
  readonly awaitsClose?: boolean;
  readonly timeoutMs?: number;
}

/**
 * A client of "another implementation": one request a connection, each written at once; answers of a fixed
 * length are taken from a single `recv`, and parsed by their lengths alone. `null` is a refusal: closed
 * without a byte.
 */
export class BaseClient {
  session = '';
  readonly #options: BaseClientOptions;

  constructor(options: BaseClientOptions) {
    this.#options = options;
  }

  /** LOGI; the SessionID is kept for the requests that follow. */
  async login(): Promise<string | null> {
    const { v4 = '127.0.0.1', v6 = null, port } = this.#options;
    const answer = await this.#short(`LOGI${ipp2p(v4, v6)}${digits(port, 5)}`, 'ALGI', 16);
    this.session = answer?.toString('latin1') ?? '';
    if (answer !== null && !/^[0-9A-Z]{16}$/.test(this.session)) throw new Error(`SessionID ${this.session}`);
    return answer && this.session;
  }

  /** ADDR; the #part of the registration. */
  addr(file: BaseFile): Promise<number | null> {
    const geometry = digits(file.size, 10) + digits(file.partSize, 6);
    return this.#count(`ADDR${this.session}${geometry}${padded(file.name, 100)}${file.md5}`, 'AADR', 8);
  }

  /** LOOK; up to 999 files. */
  look(text: string): Promise<BaseFile[] | null> {
    return this.#exchange(
      this.#options.tracker,
      `LOOK${this.session}${padded(text, 20)}`,
      async (receiver) => {
        const files: BaseFile[] = [];
        for (let left = number(await command(receiver, 'ALOO', 3)); left > 0; left -= 1) {
          const record = await receiver.recvAll(148);
          files.push({
            md5: record.toString('latin1', 0, 32),
            name: record.toString('utf8', 32, 132).trimEnd(),
            size: number(record.subarray(132, 142)),
            partSize: number(record.subarray(142, 148)),
          });
        }
        return files;
      },
    );
  }

  /** FCHU for a file of `partCount` parts; up to 999 owners. */
  fchu(md5: string, partCount: number): Promise<BaseOwner[] | null> {
    return this.#exchange(this.#options.tracker, `FCHU${this.session}${md5}`, async (receiver) => {
      const owners: BaseOwner[] = [];
      const listLength = Math.ceil(partCount / 8);
      for (let left = number(await command(receiver, 'AFCH', 3)); left > 0; left -= 1) {
        const record = await receiver.recvAll(60 + listLength);
        owners.push({
          host: v4Of(record.toString('latin1', 0, 55)),
          port: number(record.subarray(55, 60)),
          parts: partsOf(record.subarray(60), partCount),
        });
      }
      return owners;
    });
  }

  /** RPAD; how many parts of the file the session owns now. */
  rpad(md5: string, part: number): Promise<number | null> {
    return this.#count(`RPAD${this.session}${md5}${digits(part, 8)}`, 'APAD', 8);
  }

  /** LOGO; whether the session ended, and the number that came with the answer. */
  async logo(): Promise<{ left: boolean; parts: number } | null> {
    return this.#exchange(this.#options.tracker, `LOGO${this.session}`, async (receiver) => {
      const answer = await receiver.recv(200);
      const word = answer.toString('latin1', 0, 4);
      if (answer.length !== 14 || !['ALOG', 'NLOG'].includes(word))
        throw new Error(`LOGO answered ${answer}`);
      return { left: word === 'ALOG', parts: number(answer.subarray(4)) };
    });
  }

  /** RETP from a peer; the part, put together from its chunks. */
  retp(peer: Endpoint, md5: string, part: number): Promise<Buffer | null> {
    return this.#exchange(peer, `RETP${md5}${digits(part, 8)}`, async (receiver) => {
      const chunks: Buffer[] = [];
      for (let left = number(await command(receiver, 'AREP', 6)); left > 0; left -= 1) {
        chunks.push(await receiver.recvAll(number(await receiver.recvAll(5))));
      }
      return Buffer.concat(chunks);
    });
  }

  async #count(request: string, word: string, width: number): Promise<number | null> {
    const answer = await this.#short(request, word, width);
    return answer && number(answer);
  }

  /** An answer that must come whole in one `recv`. */
  #short(request: string, word: string, width: number): Promise<Buffer | null> {
    return this.#exchange(this.#options.tracker, request, async (receiver) => {
      const answer = await receiver.recv(200);
      if (answer.length !== 4 + width || answer.toString('latin1', 0, 4) !== word) {
        throw new Error(
          `${word} of ${4 + width} bytes expected in one read, not ${JSON.stringify(`${answer}`)}`,
        );
      }
      return answer.subarray(4);
    });
  }

  async #exchange<T>(
    to: Endpoint,
    request: string,
    read: (receiver: Receiver) => Promise<T>,
  ): Promise<T | null> {
    const receiver = await Receiver.open(to, this.#options.v4, this.#options.timeoutMs ?? 10_000);
    try {
      receiver.send(request);
      if (await receiver.endsWithoutAByte()) return null;
      const answer = await read(receiver);
      const rest = this.#options.awaitsClose === true ? await receiver.recv(200) : '';
      if (rest.length > 0) throw new Error(`${rest.length} bytes after the answer to ${request.slice(0, 4)}`);
      return answer;
    } finally {
      receiver.close();
    }
  }
}

/** The command and the count behind it; throws when the answer is another one. */
async function command(receiver: Receiver, word: string, width: number): Promise<Buffer> {
  const head = await receiver.recvAll(4 + width);
  if (head.toString('latin1', 0, 4) !== word) throw new Error(`${word} expected, not ${head}`);
  return head.subarray(4);
}
