import type { Manifest } from '../model/manifest.js';
import { PartFile } from '../storage/part-file.js';

/**
 * What a file may be, the one of which parts are stored first: to begin with another size would set them aside.
 * `targetOf` says where the file will be. Throws OperationalError 'disk'.
 */
export async function begunFirst(
  manifests: readonly [Manifest, ...Manifest[]],
  targetOf: (manifest: Manifest) => string | Promise<string>,
): Promise<readonly [Manifest, ...Manifest[]]> {
  if (manifests.length === 1) return manifests;
  for (const manifest of manifests) {
    if (!(await PartFile.isBegun(await targetOf(manifest), manifest))) continue;
    return [manifest, ...manifests.filter((other) => other !== manifest)];
  }
  return manifests;
}
