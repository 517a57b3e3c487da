import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../core/make-folder.js';
import { formatHostPort, type HostPort, parseHostPort } from '../model/address.js';

const LONGEST_FILE = 65_536;
const MOST = 64;

/** Where a node keeps its neighbours while it does not run: one `HOST:PORT` a line. */
export class NeighbourFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Lines that name no address are left out; a file that is not there names nobody. Rejects as the system does. */
  async read(): Promise<HostPort[]> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const lines = text.slice(0, LONGEST_FILE).split('\n').slice(0, MOST);
    return lines.flatMap((line) => {
      const at = parseHostPort(line.trim(), 0);
      return at === null || at.host === '' || at.port === 0 ? [] : [at];
    });
  }

  /** Replaces the file in one step. Rejects as the system does. */
  async write(neighbours: readonly HostPort[]): Promise<void> {
    const lines = neighbours.slice(0, MOST).map(({ host, port }) => `${formatHostPort(host, port)}\n`);
    await makeFolder(dirname(this.#path));
    const temporary = `${this.#path}.${randomBytes(4).toString('hex')}`;
    try {
      await writeFile(temporary, lines.join(''));
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}
