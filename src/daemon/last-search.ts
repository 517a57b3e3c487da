/** What the last `search --flood` found, so that `get` can take a result by its number, or follow an MD5 to its tracker. */
import { formatHostPort, type HostPort, parseHostPort } from '../model/address.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';
import { readStateFile, replaceStateFile } from './state-file.js';

const FILE = 'last-search.json';
const MOST_BYTES = 67_108_864;

export interface FoundResult {
  readonly md5: FileMd5;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** That index the file; at least one. */
  readonly trackers: readonly HostPort[];
}

/** Replaces what is kept in the state folder, in one step. Rejects as the system does. */
export function keepLastSearch(stateDir: string, results: readonly FoundResult[]): Promise<void> {
  const lines = results.map(({ md5, name, size, trackers }) => ({
    md5,
    name,
    size,
    trackers: trackers.map(({ host, port }) => formatHostPort(host, port)),
  }));
  return replaceStateFile(stateDir, FILE, lines);
}

/** The results in the order of their numbers; none when there was no search, or what is there cannot be read. */
export async function lastSearch(stateDir: string): Promise<readonly FoundResult[]> {
  const lines = await readStateFile(stateDir, FILE, MOST_BYTES);
  return Array.isArray(lines) ? lines.flatMap((line) => resultOf(line) ?? []) : [];
}

function resultOf(
  line: Partial<Record<'md5' | 'name' | 'size' | 'trackers', unknown>> | null,
): FoundResult | null {
  const { md5, name, size, trackers } = line ?? {};
  const id = parseFileMd5(String(md5));
  if (id === null || typeof name !== 'string' || !Number.isSafeInteger(size) || !Array.isArray(trackers))
    return null;
  const at = trackers.flatMap((each) => parseHostPort(String(each), 0) ?? []);
  return { md5: id, name, size: size as number, trackers: at };
}
