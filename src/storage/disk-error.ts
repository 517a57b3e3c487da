import { BugTorrentError, OperationalError } from '../core/errors.js';

/** What a system error means to the user, by its code: our stable code, what is the case, what to do. */
const MEANINGS: Readonly<Record<string, readonly [code: string, what: string, remedy: string]>> = {
  ENOSPC: ['DISK_FULL', 'the disk is full', 'free some space and run the same command again'],
  EDQUOT: ['DISK_FULL', 'the disk quota is used up', 'free some space and run the same command again'],
  EACCES: ['NO_PERMISSION', 'permission denied', 'change its permissions, or choose another place'],
  EPERM: ['NO_PERMISSION', 'not permitted', 'change its permissions, or choose another place'],
  EROFS: ['READ_ONLY', 'the file system is read-only', 'choose another place'],
  ENOENT: ['FOLDER_MISSING', 'no such file or folder', 'create the folder, or choose another place'],
  ENOTDIR: ['NOT_A_FOLDER', 'a part of its path is a file, not a folder', 'choose another place'],
  EEXIST: ['IN_THE_WAY', 'a file is there already', 'choose another place'],
  EISDIR: ['IS_A_FOLDER', 'it is a folder', 'choose another name'],
  ELOOP: ['LINK_LOOP', 'it is a symbolic link, or its path has too many of them', 'choose another place'],
  ENAMETOOLONG: ['NAME_TOO_LONG', 'the name is too long', 'choose a shorter one'],
  EFBIG: ['FILE_TOO_LARGE', 'the file system takes no file of this size', 'choose a place on another disk'],
  EMFILE: ['TOO_MANY_OPEN_FILES', 'this process has too many files open', 'raise the limit (ulimit -n)'],
  ENFILE: [
    'TOO_MANY_OPEN_FILES',
    'the system has too many files open',
    'close some programs, then try again',
  ],
  EIO: ['DISK_FAILURE', 'the disk reports an input/output error', 'check the disk'],
};

/**
 * The operational error (exit code 6) for a system error at `path`, in one line. Takes what node:fs throws and what
 * a worker returns; what is no system error is a bug and comes back as it is.
 */
export function diskError(error: unknown, path: string): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (error instanceof BugTorrentError || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code))
    return error;
  const [stable, what, remedy] = MEANINGS[code] ?? [code, message ?? code, 'check the disk and the path'];
  return new OperationalError('disk', stable, `${path}: ${what}; ${remedy}`, { cause: error });
}

/** Our stable code for the system's; the same where there is none. */
export function stableCode(code: string): string {
  return MEANINGS[code]?.[0] ?? code;
}

/** Whether `error` is the system's error `code` (ENOENT, EEXIST, …). */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(String((error as NodeJS.ErrnoException).code));
}
