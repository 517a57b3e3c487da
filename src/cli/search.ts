import { systemClock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { type SearchResult, search } from '../daemon/search.js';
import type { Invocation } from './invocation.js';
import { debugLogger } from './log.js';
import { counted, formatBytes } from './quantity.js';

/** `search`: asks the trackers, prints what they know. */
export async function run(invocation: Invocation<'search'>): Promise<void> {
  const { settings, words, output, env, stop } = invocation;
  if (settings.flood) return (await import('./flood-search.js')).searchByFlooding(invocation);
  const text = words[0]!;
  const results = await search({
    text,
    trackers: settings.tracker,
    clock: systemClock,
    logger: await debugLogger(output, env),
    signal: stop.signal,
  });
  if (results.length === 0) throw new OperationalError('not-found', 'NO_MATCH', `no file matches '${text}'`);
  const best = results.toSorted(byOwnersThenName).slice(0, settings.want ?? results.length);
  for (const result of best) {
    if (settings.json) output.json({ event: 'result', ...fieldsOf(result) });
    else output.print(resultLine(result));
  }
}

function byOwnersThenName(a: SearchResult, b: SearchResult): number {
  return b.owners - a.owners || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

function fieldsOf({ md5, name, size, partSize, owners, tracker }: SearchResult) {
  return { md5, name, size, partSize, owners, tracker };
}

function resultLine({ md5, name, size, owners }: SearchResult): string {
  return `${md5}  ${formatBytes(size).padStart(8)}  ${counted(owners, 'owner').padEnd(9)}  ${name}`;
}
