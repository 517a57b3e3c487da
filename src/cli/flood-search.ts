import { systemClock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { type FloodOutcome, type FloodResult, flood } from '../daemon/flood.js';
import { keepLastSearch } from '../daemon/last-search.js';
import { keepSearchMemory, readSearchMemory } from '../daemon/search-memory.js';
import type { SettingsOf } from '../daemon/settings.js';
import { formatHostPort, type HostPort, specificAddress } from '../model/address.js';
import { cutUtf8 } from '../model/utf8.js';
import { RICERCA_LENGTH } from '../protocol/limits.js';
import { AnswerPort } from '../search/answer-port.js';
import type { Invocation } from './invocation.js';
import { debugLogger } from './log.js';
import { counted, formatBytes } from './quantity.js';
import { defaultStateDir } from './seedbox-options.js';

const DEFAULT_WANT = 20;

/** What `search` and `get` have in common where they flood. */
type Flooding = Pick<Invocation<'search'>, 'output' | 'env' | 'stop'> & {
  readonly settings: Pick<SettingsOf<'search'> & SettingsOf<'get'>, 'listen' | 'announce' | 'state'>;
};

interface FloodWish {
  readonly text: string;
  readonly want: number;
  readonly trackers: readonly HostPort[];
  /** True ends the search. */
  readonly onResult: (result: FloodResult) => boolean;
}

/** Searches by flooding; says on stderr what hindered it. */
export async function floodFor(
  wish: FloodWish,
  { settings, output, env, stop }: Flooding,
): Promise<FloodOutcome> {
  const { listen, announce, state } = settings;
  const logger = await debugLogger(output, env);
  const stateDir = state ?? defaultStateDir(env);
  const memory = await readSearchMemory(stateDir);
  const searching = flood({
    ...wish,
    text: cutUtf8(wish.text, RICERCA_LENGTH),
    reception: new AnswerPort({ listen, clock: systemClock, logger }),
    localAddress: specificAddress(listen.host),
    announce,
    memory,
    signal: stop.signal,
    clock: systemClock,
    logger,
  });
  const outcome = await searching.finally(() =>
    keepSearchMemory(stateDir, memory, systemClock.now()).catch((error: Error) =>
      logger.warn({ error }, 'what the search found is not kept for the next one'),
    ),
  );
  if (!outcome.heard && outcome.end !== null) output.tell(unheard(outcome, settings), 'yellow');
  for (const tracker of outcome.away) output.tell(`tracker ${tracker} cannot be asked`, 'yellow');
  return outcome;
}

function unheard({ port }: FloodOutcome, { listen }: Flooding['settings']): string {
  const at = formatHostPort(listen.host, port);
  return (
    `no tracker reached ${at}, where answers from other trackers are waited for: if a firewall or NAT is in the way, open a ` +
    'port and give it with --listen, and with --announce the address others see; or the trackers take no part in searches by flooding'
  );
}

/** `search --flood`: prints results as they come, and keeps them for `get`. */
export async function searchByFlooding(invocation: Invocation<'search'>): Promise<void> {
  const { settings, words, output } = invocation;
  const text = words[0]!;
  const shown: FloodResult[] = [];
  const show = (result: FloodResult) => {
    shown.push(result);
    const { md5, name, size, partSize, owners, trackers } = result;
    const tracker = formatHostPort(trackers[0]!.host, trackers[0]!.port);
    if (settings.json) output.json({ event: 'result', md5, name, size, partSize, owners, tracker });
    else output.print(resultLine(shown.length, result, tracker));
    return false;
  };
  const want = settings.want ?? DEFAULT_WANT;
  const searching = floodFor({ text, want, trackers: settings.tracker, onResult: show }, invocation);
  // Numbers that were shown mean these results, however the search ends.
  await searching.finally(() => (shown.length === 0 ? null : keepShown(shown, invocation)));
  if (shown.length === 0) {
    throw new OperationalError(
      'not-found',
      'NO_MATCH',
      `no file matches '${text}', here or at the trackers around`,
    );
  }
}

async function keepShown(
  shown: readonly FloodResult[],
  { settings, output, env }: Invocation<'search'>,
): Promise<void> {
  await keepLastSearch(settings.state ?? defaultStateDir(env), shown).catch((error: Error) =>
    output.tell(`the results are not kept for 'get': ${error.message}`, 'yellow'),
  );
}

function resultLine(number: number, { md5, name, size, owners }: FloodResult, tracker: string): string {
  const columns = [`${String(number).padStart(3)})`, md5, formatBytes(size).padStart(8)];
  return `${columns.join('  ')}  ${counted(owners, 'owner').padEnd(9)}  ${name}  (${tracker})`;
}
