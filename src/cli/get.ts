import './tight-heap.js';
import './tiering.js';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemClock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import { type DownloadResult, download } from '../daemon/downloader.js';
import type { SettingsOf } from '../daemon/settings.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { diskError, isErrno } from '../storage/disk-error.js';
import { chooseFile } from './choose-file.js';
import { unreadBefore } from './failure.js';
import { ConfigFollower } from './follow-config.js';
import { follow } from './follow-result.js';
import type { Invocation } from './invocation.js';
import { debugLogger } from './log.js';
import type { Output } from './output.js';
import { progressReport } from './progress-report.js';
import { formatBytes, formatRate } from './quantity.js';
import { writeStats } from './stats-file.js';
import { watchStdoutReader } from './stdout-reader.js';
import { parseWanted, type Wanted, wantedLabel } from './wanted.js';

/** `get`: one file, from wherever it is, verified. */
export async function run(invocation: Invocation<'get'>): Promise<void> {
  const { words, settings, output, env, stop } = invocation;
  refuseContradictions(invocation);
  const asked = parseWanted(words[0]!);
  const { wanted, trackers } = await follow(asked, trackersFor(asked, invocation), invocation);
  const report = progressReport(wantedLabel(wanted), settings, output, systemClock);
  const toStdout = settings.output === '-';
  const followers: ConfigFollower[] = [];
  const endWatch = toStdout ? watchStdoutReader(() => stop.make('stdout closed')) : () => {};
  try {
    const { stats } = await download({
      wanted,
      trackers,
      listen: settings.listen,
      announce: settings.announce,
      output: await outputTarget(settings.output),
      force: settings.force,
      sequential: settings.sequential,
      acceptUnverified: settings['accept-unverified'],
      seed: {
        after: settings['no-seed'] ? 'none' : 'linger',
        ratio: settings['seed-ratio'],
        timeMs: settings['seed-time'],
      },
      uploadLimit: settings['upload-limit'],
      downloadLimit: settings['download-limit'],
      cacheBytes: settings.cache,
      onAdjustable: (node) => {
        // Without a config file SIGHUP ends a download, as it does other commands of a terminal.
        if (invocation.configureAgain !== null) followers.push(new ConfigFollower(invocation, node));
      },
      choose: (matches) => chooseFile(matches, output, stop),
      onProgress: (progress) => report.update(progress),
      onDone(result) {
        report.end();
        sayDone(result, settings, output);
        if (staysOn(result, settings))
          output.terminal.status('serving it to others for a while; Ctrl-C ends that');
      },
      signal: stop.signal,
      logger: await debugLogger(output, env),
      clock: systemClock,
    });
    await writeStats(stats, env);
  } catch (error) {
    if (stop.reason !== 'stdout closed') throw error;
    throw unreadBefore(
      toStdout ? 'it had the whole file' : 'the download was done; the same command goes on',
    );
  } finally {
    endWatch();
    for (const follower of followers) follower.stop();
    report.end();
  }
}

function refuseContradictions({ settings, givenBy }: Invocation<'get'>): void {
  if (settings.output === '-' && settings.json) {
    throw new UsageError('TWO_ON_STDOUT', "'-o -' and --json both want stdout: leave one of them out");
  }
  for (const name of ['seed-ratio', 'seed-time'] as const) {
    const [place, none] = [givenBy(name), givenBy('no-seed')];
    if (settings['no-seed'] && place !== null) {
      throw new UsageError(
        'SEED_OR_NOT',
        `${place} and ${none} contradict each other: leave one of them out`,
      );
    }
  }
}

/** Those of the magnet link come after those that were asked for; the default only stands in for both. */
function trackersFor(wanted: Wanted, { settings, givenBy }: Invocation<'get'>): readonly HostPort[] {
  const linked = 'magnet' in wanted ? wanted.magnet.trackers : [];
  const asked = givenBy('tracker') === null && linked.length > 0 ? [] : settings.tracker;
  const byText = new Map([...asked, ...linked].map((each) => [formatHostPort(each.host, each.port), each]));
  return [...byText.values()];
}

/** A folder that exists is meant as one, with or without its slash. One that does not is said before anything is asked. */
async function outputTarget(output: string | null): Promise<string> {
  if (output === null) return './';
  if (output === '-') return output;
  const found = await stat(output).catch(() => null);
  if (found?.isDirectory()) return output.endsWith('/') ? output : `${output}/`;
  const folder = output.endsWith('/') ? output : dirname(output);
  const problem = await stat(folder).then(
    (stats) => (stats.isDirectory() ? null : { code: 'ENOTDIR' }),
    (error: unknown) => error,
  );
  // What else there is to say is said when the file is made.
  if (problem !== null && isErrno(problem, 'ENOENT', 'ENOTDIR')) throw diskError(problem, folder);
  return output;
}

type Manner = Pick<SettingsOf<'get'>, 'json' | 'quiet' | 'no-seed'>;

function sayDone(result: DownloadResult, { json, quiet }: Manner, output: Output): void {
  const { md5, path, bytes, fetched } = result;
  const seconds = Math.round(result.seconds * 1000) / 1000;
  if (json) output.json({ event: 'done', md5, path, bytes, fetched, seconds });
  else if (!quiet) output.tell(doneLine(result), 'green');
}

function doneLine({ md5, path, bytes, fetched, seconds, alreadyThere }: DownloadResult): string {
  const name = path === '-' ? 'stdout' : path;
  if (alreadyThere) return `${name}: already there, MD5 ${md5}`;
  const rate = formatRate(fetched / Math.max(seconds, 0.001));
  return `${name}: ${formatBytes(bytes)} in ${seconds.toFixed(1)} s (${rate}), MD5 ${md5}`;
}

function staysOn({ alreadyThere }: DownloadResult, { json, quiet, 'no-seed': ends }: Manner): boolean {
  return !(alreadyThere || json || quiet || ends);
}
