/**
 * The files that are served, by Filemd5.
 *
 * Invariant: a file has at least one path, and a path belongs to one file. The path that has been there longest serves;
 * the name is that of the first one for as long as the file is shared.
 */
import type { FileIdentity } from '../model/file-identity.js';
import type { FileMd5 } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';

/** A file as it is served at this moment. */
export interface SharedFile {
  readonly manifest: Manifest;
  readonly path: string;
  /** Of the file at `path` when it was hashed: what is read later must be of the same. */
  readonly identity: FileIdentity;
  /** 16 B for each border between parts (PROTOCOL.md §7.2); empty while they are not known, and when the part size is no multiple of 64. */
  readonly midstates: Uint8Array;
}

export class SharedFiles {
  /** The places of each file, the one that serves first. */
  readonly #files = new Map<FileMd5, SharedFile[]>();
  readonly #paths = new Map<string, FileMd5>();
  #bytes = 0;

  /** Files, whatever the number of their paths. */
  get size(): number {
    return this.#files.size;
  }

  get paths(): number {
    return this.#paths.size;
  }

  /** Sum of the files' sizes. */
  get bytes(): number {
    return this.#bytes;
  }

  find(md5: FileMd5): SharedFile | null {
    return this.#files.get(md5)?.[0] ?? null;
  }

  /** Its places, the one that serves first. */
  places(md5: FileMd5): readonly SharedFile[] {
    return this.#files.get(md5) ?? [];
  }

  /** Of the file that has this path. */
  md5At(path: string): FileMd5 | undefined {
    return this.#paths.get(path);
  }

  *[Symbol.iterator](): Iterator<SharedFile> {
    for (const [serving] of this.#files.values()) if (serving) yield serving;
  }

  /** True when the file was not shared before; else `file.path` is one more place of it. The path must be new. */
  add(file: SharedFile): boolean {
    const { md5, geometry } = file.manifest;
    this.#paths.set(file.path, md5);
    const places = this.#files.get(md5);
    if (places?.[0] !== undefined) {
      places.push({ ...file, manifest: places[0].manifest });
      return false;
    }
    this.#files.set(md5, [file]);
    this.#bytes += geometry.fileSize;
    return true;
  }

  /** What is known now of the file at that path. */
  learn(path: string, midstates: Uint8Array): void {
    const places = this.places(this.#paths.get(path)!) as SharedFile[];
    const at = places.findIndex((place) => place.path === path);
    if (at !== -1) places[at] = { ...places[at]!, midstates };
  }

  /** Takes the path out; gives the file when that was its last one. */
  drop(path: string): SharedFile | null {
    const md5 = this.#paths.get(path);
    const places = md5 === undefined ? undefined : this.#files.get(md5);
    if (md5 === undefined || places === undefined) return null;
    this.#paths.delete(path);
    const at = places.findIndex((place) => place.path === path);
    const [dropped] = places.splice(at, 1);
    if (dropped === undefined || places.length > 0) return null;
    this.#files.delete(md5);
    this.#bytes -= dropped.manifest.geometry.fileSize;
    return dropped;
  }
}
