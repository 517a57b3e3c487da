import { readdirSync, readlinkSync } from 'node:fs';

/** The files below `folder` that this process has open; none where the system does not tell. */
export function openFilesBelow(folder: string): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
  return descriptors.map(target).filter((path) => path.startsWith(folder));
}

/** Where a descriptor leads; the one that listed the folder is closed by now. */
function target(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}
