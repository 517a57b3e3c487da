/**
 * Which geometry one tracker keeps for the files this node knows (PROTOCOL.md §3).
 *
 * Invariant: `#kept` holds what the tracker itself said in this session, at most MOST_REMEMBERED files.
 */
import { OperationalError } from '../core/errors.js';
import { partGeometry, sameGeometry } from '../model/geometry.js';
import type { FileMd5 } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import { RICERCA_LENGTH } from '../protocol/limits.js';
import type { FoundFile } from '../protocol/messages.js';
import { TRACKER_REFUSED } from './tracker-trouble.js';

const MOST_REMEMBERED = 2_000;

/** Whether the tracker keeps our geometry for a file; unknown when it does not show the file. */
export type GeometryVerdict = 'same' | 'other' | 'unknown';

export class TrackerGeometry {
  readonly #look: (text: string) => Promise<readonly FoundFile[]>;
  readonly #mismatch: (manifest: Manifest, kept: string) => void;
  readonly #kept = new Map<FileMd5, FoundFile>();
  readonly #others = new Set<FileMd5>();

  /** @param look asks this tracker; @param mismatch called once for each file whose geometry differs there */
  constructor(
    look: (text: string) => Promise<readonly FoundFile[]>,
    mismatch: (manifest: Manifest, kept: string) => void,
  ) {
    this.#look = look;
    this.#mismatch = mismatch;
  }

  /** Files for which the tracker keeps another geometry. */
  get others(): readonly FileMd5[] {
    return [...this.#others];
  }

  isOther(md5: FileMd5): boolean {
    return this.#others.has(md5);
  }

  remember(files: readonly FoundFile[]): void {
    for (const file of files) {
      this.#kept.set(file.md5, file);
      if (this.#kept.size > MOST_REMEMBERED) this.#kept.delete(this.#kept.keys().next().value!);
    }
  }

  /** The tracker may have lost its memory. */
  clear(): void {
    this.#kept.clear();
    this.#others.clear();
  }

  /** By what was found before, else by a LOOK for the first digits of Filemd5, which our own trackers answer. */
  byId(manifest: Manifest): Promise<GeometryVerdict> {
    return this.#check(manifest, manifest.md5.slice(0, RICERCA_LENGTH));
  }

  /** By a LOOK for the name, for trackers that search nothing else. */
  byName(manifest: Manifest): Promise<GeometryVerdict> {
    return this.#check(manifest, manifest.name);
  }

  /** The tracker said `kept` of this file, which is not our geometry. */
  differs(manifest: Manifest, kept: string): void {
    if (this.#others.has(manifest.md5)) return;
    this.#others.add(manifest.md5);
    this.#mismatch(manifest, kept);
  }

  async #check(manifest: Manifest, text: string): Promise<GeometryVerdict> {
    if (!this.#kept.has(manifest.md5)) this.remember(await this.#lookedUp(text));
    const kept = this.#kept.get(manifest.md5);
    if (kept === undefined) return 'unknown';
    if (sameGeometry(partGeometry(kept.fileSize, kept.partSize), manifest.geometry)) {
      // A download whose first geometry was refuted goes on with this one.
      this.#others.delete(manifest.md5);
      return 'same';
    }
    this.differs(manifest, `${kept.fileSize} B in parts of ${kept.partSize} B`);
    return 'other';
  }

  /** A tracker that refuses such a search says nothing about the file. */
  async #lookedUp(text: string): Promise<readonly FoundFile[]> {
    try {
      return await this.#look(text);
    } catch (error) {
      if (error instanceof OperationalError && error.code === TRACKER_REFUSED) return [];
      throw error;
    }
  }
}
