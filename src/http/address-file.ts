/**
 * Where other programs on this machine find the HTTP listener of a daemon: `http.json` in its state folder.
 *
 * Invariant: the file appears whole, for its owner's eyes alone, while the listener is up; only a holder of the state
 * folder's lock writes it.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatHostPort, type HostPort } from '../model/address.js';

const NAME = 'http.json';

export class AddressFile {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, NAME);
  }

  /** Rejects with the system's error. */
  async write({ host, port }: HostPort): Promise<void> {
    const draft = `${this.#path}.new`;
    const content = { url: `http://${formatHostPort(host, port)}`, host, port, pid: process.pid };
    // A draft that a crash left behind may have other rights.
    await rm(draft, { force: true });
    await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, this.#path);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
