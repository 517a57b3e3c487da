/**
 * How full the file systems are on which some folders lie.
 *
 * Invariant: nobody waits for a disk that does not answer. What is told is what the last look found, and the next look
 * at a folder begins only when the one before has ended.
 */
import { statfs } from 'node:fs/promises';

export interface Space {
  /** Free for this process. */
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

export class DiskSpace {
  readonly #folders: ReadonlyMap<string, string>;
  readonly #found = new Map<string, Space>();
  readonly #looking = new Set<string>();

  /** @param folders paths by the names under which they are told; looked at at once */
  constructor(folders: ReadonlyMap<string, string>) {
    this.#folders = folders;
    this.#look();
  }

  /** As the last look found it, and has a new look taken. A folder that cannot be looked at is left out. */
  get now(): Readonly<Record<string, Space>> {
    this.#look();
    return Object.fromEntries(this.#found);
  }

  #look(): void {
    for (const [name, path] of this.#folders) {
      if (this.#looking.has(name)) continue;
      this.#looking.add(name);
      void statfs(path)
        .then(
          ({ bsize, bavail, blocks }) =>
            this.#found.set(name, { freeBytes: bsize * bavail, sizeBytes: bsize * blocks }),
          () => this.#found.delete(name),
        )
        .finally(() => this.#looking.delete(name));
    }
  }
}
