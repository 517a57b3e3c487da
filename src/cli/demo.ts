import type { SeedboxOptions } from '../daemon/seedbox.js';
import type { SettingName } from '../daemon/settings.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { ensureSample } from './demo-sample.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import { formatBytes } from './quantity.js';
import { seedboxOptions } from './seedbox-options.js';
import { isAddressInUse, serve } from './serve.js';
import { startTrackerAndSeedbox, type TrackerAndSeedbox } from './tracker-and-seedbox.js';

const FOLDER = 'shared';
const STATE = '.bugtorrent';
const TARGET = 'downloads/';
const LOOPBACK = '127.0.0.1';
/** Where `get` asks when nothing is said. */
const DEFAULT_TRACKER = `${LOOPBACK}:3000`;

type SharedFile = Parameters<NonNullable<SeedboxOptions['onShared']>>[0];

/** `start --demo`: everything on loopback and in the current folder, and what to type to see it work. */
export async function runDemo(invocation: Invocation<'start'>): Promise<void> {
  const { settings, output, givenBy, env } = invocation;
  const given = (name: SettingName) => givenBy(name) !== null;
  const folders = given('share') ? settings.share : [FOLDER];
  if (!given('share')) await ensureSample(FOLDER);
  const logger = await openLogger(output, env, 'warn');
  let tell: (file: SharedFile) => void = () => {};
  const told = new Promise<SharedFile>((resolve) => {
    tell = resolve;
  });
  const options = await seedboxOptions(
    { ...settings, share: folders },
    { files: [], stateDir: settings.state ?? STATE, logger, onShared: tell },
  );
  const ports = {
    tracker: given('tracker-listen') ? [settings['tracker-listen']] : loopback(settings['tracker-listen']),
    seedbox: given('listen') ? [settings.listen] : loopback(settings.listen),
  };
  const both = await firstFree(ports.tracker, (trackerListen) =>
    firstFree(ports.seedbox, (listen) =>
      startTrackerAndSeedbox(trackerListen, { ...options, listen }, { logger, output }),
    ),
  );
  output.print(
    `tracker on ${text(both.tracker)}, seedbox on ${text(both.seedbox)}, sharing ${folders.join(', ')}`,
  );
  void told.then((file) => {
    output.print(`ready: ${file.name} (${formatBytes(file.size)}, MD5 ${file.md5})`);
    output.print('');
    output.print('Download it in a second terminal, in this folder, with:');
    output.print('');
    output.print(`  ${downloadCommand(file, both)}`);
    output.print('');
    output.print('Ctrl-C stops.');
  });
  await serve(both, invocation, settings['leave-when-safe']);
}

/** The usual port, and any free one for when that is taken. */
function loopback({ port }: HostPort): HostPort[] {
  return [port, 0].map((each) => ({ host: LOOPBACK, port: each }));
}

/** Starts with the first of the addresses that is not in use. */
async function firstFree<T>(
  [first, ...rest]: readonly HostPort[],
  start: (at: HostPort) => Promise<T>,
): Promise<T> {
  try {
    return await start(first!);
  } catch (error) {
    if (rest.length === 0 || !isAddressInUse(error)) throw error;
    return firstFree(rest, start);
  }
}

/** In any shell: a name with other characters is left to its MD5. */
function downloadCommand(file: SharedFile, { tracker }: TrackerAndSeedbox): string {
  const wanted = /^[\w.][\w.-]*$/.test(file.name) ? file.name : file.md5;
  const at = text(tracker) === DEFAULT_TRACKER ? '' : ` --tracker ${text(tracker)}`;
  return `npx bugtorrent get ${wanted} -o ${TARGET}${at}`;
}

function text({ host, port }: HostPort): string {
  return formatHostPort(host, port);
}
