import { stableCode } from './disk-error.js';

/** Why something is not shared, each with a counter. */
export const NOT_SHARED = [
  ...(['LINK_OUTSIDE', 'BAD_NAME', 'TOO_DEEP', 'TOO_MANY', 'TOO_LARGE', 'WRONG', 'INDEX', 'POOL'] as const),
  ...(['FILE_MISSING', 'FOLDER_MISSING', 'NOT_A_FOLDER', 'NO_FILE', 'LINK_LOOP', 'NAME_TOO_LONG'] as const),
  ...(['NO_PERMISSION', 'READ_ONLY', 'TOO_MANY_OPEN_FILES', 'DISK_FAILURE', 'UNEXPECTED'] as const),
] as const;

/** Besides those, codes of the system that say too little to have a name of ours. */
export type NotShared = (typeof NOT_SHARED)[number] | `E${string}`;

/** The reason by the code of an error: what is found to be gone is a file, whatever it was. */
export function notSharedFor(code = 'UNEXPECTED'): NotShared {
  return code === 'ENOENT' ? 'FILE_MISSING' : (stableCode(code) as NotShared);
}
