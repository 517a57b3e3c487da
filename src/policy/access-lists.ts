import type { FileMd5 } from '../model/ids.js';
import type { NetworkList } from './network-list.js';

export interface AccessListsInit {
  /** null: every network. */
  readonly allowNetworks: NetworkList | null;
  readonly denyNetworks: NetworkList | null;
  /** null: every file. */
  readonly allowFiles: ReadonlySet<FileMd5> | null;
  readonly denyFiles: ReadonlySet<FileMd5> | null;
}

/** Who and what is taken: what an allow list, where there is one, names and no deny list does. */
export class AccessLists {
  readonly #init: AccessListsInit;

  constructor(init: AccessListsInit) {
    this.#init = init;
  }

  admitsAddress(ip: string): boolean {
    const { allowNetworks, denyNetworks } = this.#init;
    return (allowNetworks?.has(ip) ?? true) && !denyNetworks?.has(ip);
  }

  admitsFile(md5: FileMd5): boolean {
    const { allowFiles, denyFiles } = this.#init;
    return (allowFiles?.has(md5) ?? true) && !denyFiles?.has(md5);
  }

  /** Every file that is not taken, when they can be named; null when an allow list leaves out all the others. */
  get deniedFiles(): ReadonlySet<FileMd5> | null {
    return this.#init.allowFiles === null ? (this.#init.denyFiles ?? new Set()) : null;
  }

  /** Whether any network is left out. */
  get restrictsAddresses(): boolean {
    return this.#init.allowNetworks !== null || this.#init.denyNetworks !== null;
  }
}

/** Everybody and everything. */
export const OPEN_ACCESS = new AccessLists({
  allowNetworks: null,
  denyNetworks: null,
  allowFiles: null,
  denyFiles: null,
});
