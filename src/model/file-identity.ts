/**
 * Which content of which file was hashed. Times and numbers that do not fit a JavaScript number are decimal text, so
 * that an identity can be compared, cloned to a worker and written to disk as it is.
 */
export interface FileIdentity {
  /** Bytes. */
  readonly size: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly ino: string;
  readonly dev: string;
}

/**
 * File systems stamp changes with the kernel's tick, at most this coarse. A file changed within the tick of its last
 * change shows no trace of it, so reading begins only when that tick is over.
 */
const TICK_MS = 20;

/** The part of node:fs BigIntStats that makes an identity. */
export interface IdentifyingStats {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
}

export function identityOf(stats: IdentifyingStats): FileIdentity {
  return {
    size: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    ino: String(stats.ino),
    dev: String(stats.dev),
  };
}

/**
 * Whether a hash made in an earlier run still holds. Device numbers are left out, because disks are numbered anew at
 * each start of the machine, and ctime, because a change of owner or mode says nothing about the content.
 */
export function sameContent(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino;
}

/** Whether nothing at all happened to the file between two looks of one run: a set-back mtime moves ctime. */
export function unchanged(a: FileIdentity, b: FileIdentity): boolean {
  return sameContent(a, b) && a.ctimeNs === b.ctimeNs && a.dev === b.dev;
}

/** Milliseconds from `now` (as Date.now() gives it) until a further change of the file would show. */
export function tickLeft({ ctimeNs }: FileIdentity, now: number): number {
  const age = now - Number(BigInt(ctimeNs) / 1_000_000n);
  return age >= 0 && age < TICK_MS ? TICK_MS - age : 0;
}
