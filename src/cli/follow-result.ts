import { systemClock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import type { FloodResult } from '../daemon/flood.js';
import { lastSearch } from '../daemon/last-search.js';
import { readSearchMemory } from '../daemon/search-memory.js';
import type { HostPort } from '../model/address.js';
import type { FileMd5 } from '../model/ids.js';
import { chooseFile } from './choose-file.js';
import type { Invocation } from './invocation.js';
import { defaultStateDir } from './seedbox-options.js';
import type { Wanted } from './wanted.js';

const DEFAULT_WANT = 20;

/** What to download, and the trackers to ask for it. */
export interface Followed {
  readonly wanted: Wanted;
  readonly trackers: readonly HostPort[];
}

/** A result as a magnet link says it: other trackers find names only. The size is not known of what is remembered. */
type Result = Pick<FloodResult, 'md5' | 'name' | 'trackers'> & { readonly size: number | null };

/**
 * What the wanted means after searches by flooding: a number, or an MD5, of the last search is that result, at its
 * tracker; another MD5 is at the trackers where a search found it lately. With `--flood` the trackers around are asked now. Throws OperationalError 'not-found'.
 */
export async function follow(
  wanted: Wanted,
  trackers: readonly HostPort[],
  invocation: Invocation<'get'>,
): Promise<Followed> {
  const { settings, env } = invocation;
  if (settings.flood) return atTracker(await found(wanted, trackers, invocation), trackers);
  const isNumber = 'name' in wanted && /^\d{1,6}$/.test(wanted.name);
  if (!isNumber && !('md5' in wanted)) return { wanted, trackers };
  const stateDir = settings.state ?? defaultStateDir(env);
  const results = await lastSearch(stateDir);
  const result =
    'md5' in wanted
      ? (results.find(({ md5 }) => md5 === wanted.md5) ?? (await remembered(wanted.md5, stateDir)))
      : results[Number(wanted.name) - 1];
  return result === undefined ? { wanted, trackers } : atTracker(result, trackers);
}

/** What a search before the last one found. */
async function remembered(md5: FileMd5, stateDir: string): Promise<Result | undefined> {
  const { answers } = await readSearchMemory(stateDir);
  const found = answers.recent(systemClock.now()).filter((answer) => answer.md5 === md5);
  const [latest] = found;
  if (latest === undefined) return undefined;
  return { md5, name: latest.name, size: null, trackers: found.map(({ tracker }) => tracker) };
}

/** The trackers that were given may know of more owners, or be the ones that can be reached. */
function atTracker({ md5, name, size, trackers }: Result, given: readonly HostPort[]): Followed {
  return { wanted: { magnet: { md5, name, size, trackers } }, trackers: [...trackers, ...given] };
}

/** One file, by flooding: the first of that MD5 or of exactly that name, else the one that matches or is chosen. */
async function found(
  wanted: Wanted,
  trackers: readonly HostPort[],
  invocation: Invocation<'get'>,
): Promise<Result> {
  const { output, stop } = invocation;
  const md5 = md5Of(wanted);
  const label = 'name' in wanted ? wanted.name : md5!;
  const isIt = (result: FloodResult) => ('name' in wanted ? result.name === wanted.name : result.md5 === md5);
  const { floodFor } = await import('./flood-search.js');
  const wish = { text: label, want: DEFAULT_WANT, trackers, onResult: isIt };
  const { results } = await floodFor(wish, invocation);
  const exact = results.find(isIt);
  if (exact !== undefined) return exact;
  const needle = label.trim().toLowerCase();
  const matches = md5 === null ? results.filter(({ name }) => name.toLowerCase().includes(needle)) : [];
  const [only, ...others] = matches;
  if (only === undefined) throw notFound(`no tracker here or around knows '${label}'`);
  if (others.length === 0) return only;
  const choice = await chooseFile(matches, output, stop);
  if (choice === null)
    throw notFound(`${matches.length} files match '${label}': give the MD5 of the one you want`);
  return choice;
}

function md5Of(wanted: Wanted): FileMd5 | null {
  if ('name' in wanted) return null;
  return 'md5' in wanted ? wanted.md5 : wanted.magnet.md5;
}

const notFound = (what: string): OperationalError => new OperationalError('not-found', 'NOT_FOUND', what);
