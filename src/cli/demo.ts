import type { SharedNotice } from '../daemon/seedbox.js';
import type { SettingName } from '../daemon/settings.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { ensureSample } from './demo-sample.js';
import { openHttp } from './http.js';
import type { Invocation } from './invocation.js';
import { openLogger } from './log.js';
import type { Output } from './output.js';
import { formatBytes } from './quantity.js';
import { ensureFolder, seedboxOptions } from './seedbox-options.js';
import { firstFree, serve } from './serve.js';
import { ownTracker, startTrackerAndSeedbox, type TrackerAndSeedbox } from './tracker-and-seedbox.js';

const FOLDER = 'shared';
const STATE = '.bugtorrent';
const TARGET = 'downloads/';
const LOOPBACK = '127.0.0.1';
/** Where `get` asks when nothing is said. */
const DEFAULT_TRACKER = `${LOOPBACK}:3000`;

/** `start --demo`: everything on loopback and in the current folder, and what to type to see it work. */
export async function runDemo(invocation: Invocation<'start'>): Promise<void> {
  const { settings, output, givenBy, env } = invocation;
  const given = (name: SettingName) => givenBy(name) !== null;
  const folders = given('share') ? settings.share : [FOLDER];
  if (!given('share')) await ensureSample(FOLDER);
  await ensureFolder(TARGET);
  const logger = await openLogger(output, env, 'warn');
  let ready: (file: SharedNotice) => void = () => {};
  const firstFile = new Promise<SharedNotice>((resolve) => {
    ready = resolve;
  });
  const stateDir = settings.state ?? STATE;
  const http = await openHttp(
    { ...invocation, settings: { ...settings, share: folders } },
    { stateDir, logger },
  );
  const options = await seedboxOptions(
    { ...settings, share: folders },
    { files: [], stateDir, logger, onShared: ready, ...http?.server.seedboxObservers() },
  );
  const more = { logger, following: invocation, ...http?.server.trackerObservers() };
  const ports = {
    tracker: given('tracker-listen') ? [settings['tracker-listen']] : loopback(settings['tracker-listen']),
    seedbox: given('listen') ? [settings.listen] : loopback(settings.listen),
  };
  const start = async () => {
    const both = await firstFree(ports.tracker, (trackerListen) =>
      firstFree(ports.seedbox, (listen) =>
        startTrackerAndSeedbox(
          { ...ownTracker(settings, stateDir), listen: trackerListen, neighbours: [] },
          { ...options, listen },
          more,
        ),
      ),
    );
    const at = `tracker on ${text(both.trackerAddress)}, daemon on ${text(both.address)}`;
    output.print(`${at}, sharing ${folders.join(', ')}`);
    const service = http === null ? both : await http.beside(both, both);
    void firstFile.then((file) => invite(file, both, http === null ? null : stateDir, output));
    return service;
  };
  await serve(start, invocation, settings['leave-when-safe']);
}

/** `stateDir`: where commands that drive the daemon find it; null when it serves no HTTP. */
function invite(file: SharedNotice, both: TrackerAndSeedbox, stateDir: string | null, output: Output): void {
  output.print(`shared: ${file.name}, ${formatBytes(file.size)}, MD5 ${file.md5}`);
  output.print('');
  output.print('To download it, type in a second terminal, in this folder:');
  output.print('');
  output.print(`  ${downloadCommand(file, both)}`);
  output.print('');
  if (stateDir !== null) {
    output.print('To watch the daemon:');
    output.print('');
    output.print(`  npx bugtorrent top --state ${stateDir}`);
    output.print('');
  }
  output.print('Ctrl-C stops.');
}

/** The usual port, and any free one for when that is taken. */
function loopback({ port }: HostPort): HostPort[] {
  return [port, 0].map((each) => ({ host: LOOPBACK, port: each }));
}

/** In any shell: a name with other characters is left to its MD5. */
function downloadCommand(file: SharedNotice, { trackerAddress }: TrackerAndSeedbox): string {
  const wanted = /^[\w.][\w.-]*$/.test(file.name) ? file.name : file.md5;
  const at = text(trackerAddress) === DEFAULT_TRACKER ? '' : ` --tracker ${text(trackerAddress)}`;
  return `npx bugtorrent get ${wanted} -o ${TARGET}${at}`;
}

function text({ host, port }: HostPort): string {
  return formatHostPort(host, port);
}
