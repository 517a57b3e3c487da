/**
 * Which failures to read shared parts were said already: other nodes ask for a part again and again.
 *
 * Invariant: at most MAX_FILES files, each with at least one code; a code has the part it was said for.
 */
import type { FileMd5, PartIndex } from '../model/ids.js';

const MAX_FILES = 1_024;

export class ReadTroubles {
  readonly #said = new Map<FileMd5, Map<string, PartIndex>>();

  /** True once for each code of a file, and again when the part it was true for was read meanwhile. */
  isNews(md5: FileMd5, part: PartIndex, code: string): boolean {
    const said = this.#said.get(md5);
    if (said?.has(code)) return false;
    if (said !== undefined) said.set(code, part);
    else {
      const [oldest] = this.#said.keys();
      if (this.#said.size >= MAX_FILES) this.#said.delete(oldest!);
      this.#said.set(md5, new Map([[code, part]]));
    }
    return true;
  }

  /** The part was read. */
  over(md5: FileMd5, part: PartIndex): void {
    const said = this.#said.get(md5);
    if (said === undefined) return;
    for (const [code, failed] of said) if (failed === part) said.delete(code);
    if (said.size === 0) this.#said.delete(md5);
  }
}
