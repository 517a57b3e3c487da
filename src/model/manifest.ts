import type { PartGeometry } from './geometry.js';
import type { FileMd5 } from './ids.js';

/** What has to be known of a file to ask for its parts. */
export interface Manifest {
  readonly md5: FileMd5;
  /** As announced by others: never a path; `safeFileName` makes it one. */
  readonly name: string;
  readonly geometry: PartGeometry;
}
