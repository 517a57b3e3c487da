import { OperationalError, type Trouble, UsageError } from '../core/errors.js';

/** The exit codes, as the README lists them; scripts rely on them. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  network: 4,
  verification: 5,
  disk: 6,
  stalled: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const OF_TROUBLE: Readonly<Record<Trouble, ExitCode>> = {
  'not-found': EXIT.notFound,
  network: EXIT.network,
  verification: EXIT.verification,
  disk: EXIT.disk,
  stalled: EXIT.stalled,
  interrupted: EXIT.interrupted,
  'set-up': EXIT.unexpected,
};

const DISK_ERRORS = new Set([
  'ENOENT',
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ENOTDIR',
  'EIO',
]);
const NETWORK_ERRORS = new Set([
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EAFNOSUPPORT',
]);

/** The exit code of what ended a command; errors of the system count as what they are about. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof OperationalError) return OF_TROUBLE[error.trouble];
  if (error instanceof UsageError) return EXIT.usage;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return EXIT.unexpected;
  if (NETWORK_ERRORS.has(code) || syscall === 'listen' || syscall === 'bind') return EXIT.network;
  return DISK_ERRORS.has(code) ? EXIT.disk : EXIT.unexpected;
}
