/**
 * Every setting of every command, once: flags, environment variables, keys of the config file and help
 * are all derived from SETTINGS. The name of a setting is its flag without the dashes and its key in the
 * file; `BUGTORRENT_` and the name in capitals is its environment variable.
 */
import { MAX_PART_COUNT } from '../model/geometry.js';
import type { SeedChoking } from '../policy/choker.js';
import { ADDRESS_LIMITS } from '../tracker/limits.js';
import { MOST_SLOTS } from './adjustable.js';
import {
  announced,
  cacheSize,
  count,
  directory,
  httpAddress,
  httpToken,
  type Kind,
  limit,
  listenAddress,
  listFile,
  oneOf,
  path,
  positiveRatio,
  rate,
  ratio,
  remoteAddress,
  share,
  size,
  storeInterval,
  storePlace,
  time,
} from './setting-kinds.js';

export const COMMAND_NAMES = [
  'start',
  'tracker',
  'daemon',
  'share',
  'search',
  'get',
  'top',
  'status',
  'ls',
  'add',
  'rm',
  'verify',
  'bench',
  'simulate',
  'doctor',
] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

/** One value or none; `defaults` holds the commands that have the setting, with the text used when nothing is given. */
interface Single<T, C extends CommandName, D extends string | null> {
  readonly form: 'single';
  readonly kind: Kind<T>;
  readonly help: string;
  readonly defaults: Readonly<Record<C, D>>;
  readonly short?: string;
}

/** Any number of values: the flag is repeated, the environment separates them by commas. */
interface List<T, C extends CommandName> {
  readonly form: 'list';
  readonly kind: Kind<T>;
  readonly help: string;
  readonly defaults: Readonly<Record<C, readonly string[]>>;
}

/** On or off; off unless given. */
interface Switch<C extends CommandName> {
  readonly form: 'switch';
  readonly help: string;
  readonly commands: readonly C[];
  readonly short?: string;
}

function single<T, C extends CommandName, D extends string | null>(
  kind: Kind<T>,
  defaults: Record<C, D>,
  help: string,
  short?: string,
): Single<T, C, D> {
  return { form: 'single', kind, help, defaults, ...(short === undefined ? {} : { short }) };
}

function list<T, C extends CommandName>(
  kind: Kind<T>,
  defaults: Record<C, readonly string[]>,
  help: string,
): List<T, C> {
  return { form: 'list', kind, help, defaults };
}

function onOff<C extends CommandName>(commands: readonly C[], help: string, short?: string): Switch<C> {
  return { form: 'switch', help, commands, ...(short === undefined ? {} : { short }) };
}

const PICKERS = ['rarest', 'random', 'sequential'] as const;
const TRACKER_LOADS = ['one-shot', 'rpad', 'fchu', 'look', 'logi', 'mix'] as const;
export type TrackerLoad = (typeof TRACKER_LOADS)[number];
const FILE_ORDERS = ['name', 'size', 'added', 'state', 'rate'] as const;
const FILE_STATES = [
  'all',
  'shared',
  'downloading',
  'queued',
  'searching',
  'waiting',
  'paused',
  'failed',
] as const;
const CHOKERS = ['tit-for-tat', 'random'] as const;

const TRACKER_PORT = 3000;
const PEER_PORT = 5000;
const DAEMON_HTTP_PORT = 5080;
const TRACKER_HTTP_PORT = 3080;
/** The commands that talk to a running daemon. */
const OF_CLIENTS = { top: null, status: null, ls: null, add: null, rm: null };
const LOCAL_TRACKER = [`127.0.0.1:${TRACKER_PORT}`];

function httpPort(command: string): number {
  return command === 'tracker' ? TRACKER_HTTP_PORT : DAEMON_HTTP_PORT;
}

function listenPort(command: string): number {
  if (command === 'tracker') return TRACKER_PORT;
  return command === 'daemon' || command === 'start' || command === 'doctor' ? PEER_PORT : 0;
}

export const SETTINGS = {
  tracker: list(
    remoteAddress(TRACKER_PORT),
    {
      daemon: LOCAL_TRACKER,
      share: LOCAL_TRACKER,
      search: LOCAL_TRACKER,
      get: LOCAL_TRACKER,
      doctor: LOCAL_TRACKER,
      start: [],
      bench: [],
    },
    'tracker to register at or to ask; repeat for more (bench tracker: the one to measure instead of one of its own)',
  ),
  listen: single(
    listenAddress(listenPort),
    {
      tracker: `[::]:${TRACKER_PORT}`,
      daemon: `[::]:${PEER_PORT}`,
      start: `[::]:${PEER_PORT}`,
      doctor: `[::]:${PEER_PORT}`,
      share: '[::]:0',
      get: '[::]:0',
      search: '[::]:0',
    },
    'address and port to accept connections on; port 0: any free one',
  ),
  'tracker-listen': single(
    listenAddress(() => TRACKER_PORT),
    { start: `[::]:${TRACKER_PORT}` },
    "the tracker's address and port",
  ),
  'trust-announced-addresses': onOff(
    ['tracker'],
    'accept logins under addresses they do not come from (behind NAT): anyone can then announce anyone',
  ),
  neighbour: list(
    remoteAddress(TRACKER_PORT),
    { tracker: [], start: [], daemon: [] },
    "node to pass searches on to; repeat for more (others are found through it; 'start': the tracker's)",
  ),
  store: single(
    storePlace,
    { tracker: 'lmdb:', start: 'lmdb:' },
    "where the tracker keeps what it knows: 'lmdb:DIR' (folder; 'lmdb:' alone: in the XDG state folder, or in --state), 'memory:' alone, or redis://HOST:PORT, which several trackers share",
  ),
  'store-interval': single(
    storeInterval,
    { tracker: '50ms', start: '50ms' },
    'with lmdb: what was answered so long ago survives a crash; 0: whatever was answered',
  ),
  processes: single(
    count(64),
    { tracker: '1' },
    'so many processes answer on the one port; more than one needs a shared store (redis://)',
  ),
  'request-limit': single(
    limit(100_000_000),
    { tracker: String(ADDRESS_LIMITS.requestRate), start: String(ADDRESS_LIMITS.requestRate) },
    "requests a second that one address may make of the tracker, slowed beyond; IPv6: its /64; 'off': any number",
  ),
  'connection-limit': single(
    limit(1_000_000),
    { tracker: String(ADDRESS_LIMITS.connections), start: String(ADDRESS_LIMITS.connections) },
    "connections that one address may have to the tracker; 'off': any number",
  ),
  'session-limit': single(
    limit(100_000_000),
    { tracker: String(ADDRESS_LIMITS.sessions), start: String(ADDRESS_LIMITS.sessions) },
    "sessions that one address may have at the tracker; 'off': any number",
  ),
  'file-limit': single(
    limit(100_000_000),
    { tracker: String(ADDRESS_LIMITS.files), start: String(ADDRESS_LIMITS.files) },
    "files, counted for each session, that one address may own at the tracker; 'off': any number",
  ),
  'limit-loopback': onOff(
    ['tracker', 'start'],
    "limit the connections, sessions and files of this machine's own programs too (its requests always are)",
  ),
  'allow-networks': single(
    listFile,
    { tracker: null, start: null },
    'list of the only networks the tracker serves, one a line, such as 192.0.2.0/24; read again at SIGHUP',
  ),
  'deny-networks': single(
    listFile,
    { tracker: null, start: null },
    'list of networks the tracker does not serve, allowed or not; read again at SIGHUP',
  ),
  'allow-files': single(
    listFile,
    { tracker: null, start: null },
    'list of the MD5s of the only files the tracker takes, one a line; read again at SIGHUP',
  ),
  'deny-files': single(
    listFile,
    { tracker: null, start: null },
    'list of the MD5s of files the tracker does not take, allowed or not; read again at SIGHUP',
  ),
  share: list(
    directory,
    { daemon: [], start: [], share: [], doctor: [] },
    'folder to share, with all below it; repeat for more',
  ),
  downloads: single(
    directory,
    { daemon: null, start: null, share: null, doctor: null },
    'folder of downloaded files, shared too; created when missing',
  ),
  'active-downloads': single(
    count(100),
    { daemon: '3', start: '3', share: '3' },
    'downloads that run at once; the others wait',
  ),
  state: single(
    directory,
    {
      ...{ daemon: null, start: null, share: null, verify: null, doctor: null, tracker: null },
      ...{ search: null, get: null, ...OF_CLIENTS },
    },
    'folder of share index, tracker state, neighbours and last search, where a running daemon is found, too (share: none, else the XDG state folder unless given); created when missing',
  ),
  announce: single(
    announced,
    { daemon: null, start: null, share: null, get: null, doctor: null, tracker: null, search: null },
    'the address others reach this node at, when it is not the one it listens on or connects from',
  ),
  slots: single(
    count(MOST_SLOTS),
    { daemon: '4', start: '4', share: '4', simulate: '4' },
    'peers uploaded to at a time, one of them to let new ones begin; more while the uplink has room',
  ),
  'seed-choking': single(
    oneOf<SeedChoking>('MODE', ['round-robin', 'fastest', 'anti-leech']),
    { daemon: 'round-robin', start: 'round-robin', share: 'round-robin', simulate: 'round-robin' },
    'who gets the slots while nothing is downloaded: by turns, the fastest, or those that begin or are nearly done',
  ),
  'upload-limit': single(
    rate,
    { daemon: null, start: null, share: null, get: null },
    'bytes sent per second, such as 10M',
  ),
  'download-limit': single(
    rate,
    { daemon: null, start: null, share: null, get: null },
    'bytes received per second, such as 10M',
  ),
  cache: single(
    cacheSize,
    { daemon: '256M', start: '256M', share: '256M', get: '64M' },
    'memory for parts on their way, never exceeded',
  ),
  http: single(
    httpAddress(httpPort),
    {
      daemon: `127.0.0.1:${DAEMON_HTTP_PORT}`,
      start: `127.0.0.1:${DAEMON_HTTP_PORT}`,
      tracker: null,
      ...OF_CLIENTS,
    },
    'where to serve HTTP, or off; beyond loopback requests need a token (top, status, ls, add, rm: where the daemon serves it, when not found in --state)',
  ),
  'http-token': single(
    httpToken,
    { daemon: null, start: null, tracker: null, ...OF_CLIENTS },
    'what requests over HTTP have to bring (other users see flags: prefer the environment or a file)',
  ),
  'http-token-file': single(
    path,
    { daemon: null, start: null, tracker: null, ...OF_CLIENTS },
    'file that holds the token',
  ),
  'metrics-files': single(
    count(99),
    { daemon: null, start: null },
    'metrics of their own for the N files uploaded most, one sum for the rest (default: none)',
  ),
  'leave-when-safe': onOff(
    ['daemon', 'start', 'share'],
    'when stopped, wait until others own every part of what is shared',
  ),
  recheck: onOff(
    ['daemon', 'start', 'share'],
    'at the start, read every file again, whatever the share index knows of it',
  ),
  demo: onOff(['start'], 'loopback only, shares ./shared with a sample file in it'),
  output: single(
    path,
    { get: null },
    "target file, 'DIR/' for the file's own name in DIR, '-' for stdout",
    'o',
  ),
  force: onOff(['get'], 'overwrite an existing target file'),
  sequential: onOff(['get'], 'mostly in the order of the file, to watch it meanwhile'),
  'accept-unverified': onOff(['get'], 'take a file whose id no known form of MD5 explains'),
  'no-seed': onOff(['get'], 'end as soon as the file is complete'),
  'seed-ratio': single(ratio, { get: null }, 'serve on until RATIO times the size was uploaded'),
  'seed-time': single(time, { get: null }, 'serve on for TIME at most, such as 10m'),
  want: single(
    count(100_000),
    { search: null, simulate: null, ls: null },
    'print at most N results, the first of their order (search: those with the most owners; with --flood: as they come, default 20; simulate search: answers that are enough, default 20)',
  ),
  flood: onOff(['search', 'get'], 'look for it at trackers around, too: they send their answers to --listen'),
  sort: single(oneOf('BY', FILE_ORDERS), { ls: 'name' }, `order of the files: ${FILE_ORDERS.join(', ')}`),
  reverse: onOff(['ls'], 'the other way round: largest, newest or fastest first', 'r'),
  'state-filter': single(
    oneOf('STATE', FILE_STATES),
    { ls: 'all' },
    `only files in this state: ${FILE_STATES.join(', ')}`,
  ),
  data: onOff(['rm'], 'delete what was downloaded, too, from the disk'),
  yes: onOff(['rm'], 'do not ask before something is deleted', 'y'),
  size: single(size, { bench: null }, 'size of the file (default: hash 512M, transfer 1G, http 4G)'),
  seeds: single(
    count(100),
    { bench: '1', simulate: '1' },
    'how many share the file (bench transfer: daemons; simulate: peers that are complete)',
  ),
  runs: single(
    count(1000),
    { bench: null, simulate: null },
    'N times; the median is in the result (default: bench hash and http 9, tracker 5, search 3, else 1)',
  ),
  pid: list(
    count(2 ** 22),
    { bench: [] },
    'tracker: process of the --tracker that is measured, for its CPU time; repeat for each of its processes',
  ),
  load: list(
    oneOf('NAME', TRACKER_LOADS),
    { bench: [] },
    `tracker: what it is asked: ${TRACKER_LOADS.join(', ')}; repeat for more (default: each in turn)`,
  ),
  files: single(
    count(1_000_000),
    { bench: null },
    'files that the tracker knows, or a daemon shares besides (default: tracker 100000, http 10000)',
  ),
  connections: single(count(1000), { bench: '8' }, 'tracker: connections of each thread of the load'),
  threads: single(count(64), { bench: '1' }, 'tracker: threads that make the load'),
  window: single(
    count(4096),
    { bench: '64' },
    'tracker: requests on their way on each connection, where pipelined',
  ),
  duration: single(time, { bench: null }, 'of each run of the load (default: tracker 2s, http 30s)'),
  'request-rate': single(
    count(10_000_000),
    { bench: null },
    'tracker: requests a second when latencies are measured (default: 70 % of what was reached before)',
  ),
  'no-verify': onOff(['bench'], 'transfer: leave out the MD5, to see the network path alone'),
  peers: single(
    count(1_000_000),
    { simulate: '100', bench: '50' },
    'how many download (bench tracker: own parts of a file)',
  ),
  parts: single(
    count(MAX_PART_COUNT),
    { simulate: '200', bench: '64' },
    'of which the file (bench tracker: each file) consists',
  ),
  'seed-rate': single(
    positiveRatio,
    { simulate: '1' },
    'what a seed uploads, as a multiple of what a peer uploads',
  ),
  'peer-upload': list(
    positiveRatio,
    { simulate: [] },
    'what a peer uploads, as a multiple; repeat for peers of different rates (default: 1)',
  ),
  'peer-download': single(
    positiveRatio,
    { simulate: null },
    'what a peer downloads at most, as a multiple of what a peer uploads (default: no limit)',
  ),
  'part-time': single(time, { simulate: '5s' }, 'what a part takes in one slot of a peer'),
  'free-riders': single(share, { simulate: '0' }, 'share of the peers that upload nothing, such as 0.2'),
  arrivals: single(time, { simulate: '0s' }, 'the peers arrive evenly spread over TIME'),
  leave: onOff(['simulate'], 'peers that are complete leave, after one more part if they upload'),
  neighbours: single(count(1000), { simulate: '40' }, 'how many others a peer knows'),
  'fchu-lag': single(time, { simulate: '2s' }, 'how often a peer asks the tracker who has which parts'),
  'round-trip': single(time, { simulate: '0.05s' }, 'until a request that is withdrawn is gone'),
  picker: single(
    oneOf('NAME', PICKERS),
    { simulate: 'rarest' },
    `how parts are chosen: ${PICKERS.join(', ')}`,
  ),
  choker: single(
    oneOf('NAME', CHOKERS),
    { simulate: 'tit-for-tat' },
    `who is uploaded to: ${CHOKERS.join(', ')}`,
  ),
  seed: single(
    count(999_999_999),
    { simulate: '1' },
    'of the random numbers: the same gives the same result',
  ),
  nodes: single(count(50_000), { simulate: '10000' }, 'search: how many trackers there are'),
  degree: single(count(100), { simulate: '16' }, 'search: how many neighbours a tracker has'),
  'maximum-ttl': single(count(7), { simulate: '4' }, 'search: hops that a query goes at most'),
  replication: single(share, { simulate: '0.005' }, 'search: share of the trackers that index the file'),
  queries: single(count(10_000), { simulate: '50' }, 'search: how many are asked, each for another file'),
  filters: onOff(['simulate'], 'search: neighbours have given each other their keyword filters'),
  jitter: single(
    share,
    { simulate: '0.1' },
    'search: share by which a message takes more or less than the others',
  ),
  svg: single(
    path,
    { simulate: null },
    'also draw a chart: of when the peers were complete, or of how many messages a query took',
  ),
  json: onOff(
    ['get', 'search', 'share', 'status', 'ls', 'add', 'rm', 'verify', 'bench', 'simulate', 'doctor'],
    'one JSON object a line on stdout, all else on stderr',
  ),
  quiet: onOff(['get', 'verify'], 'only errors', 'q'),
};

type Table = typeof SETTINGS;
export type SettingName = keyof Table;
export type Setting = Table[SettingName];

type CommandsOf<S> = S extends { readonly commands: readonly (infer C)[] }
  ? C
  : S extends { readonly defaults: Readonly<Record<infer C, unknown>> }
    ? C
    : never;

type ValueOf<S> = S extends { form: 'single'; kind: Kind<infer T>; defaults: infer D }
  ? null extends D[keyof D]
    ? T | null
    : T
  : S extends { form: 'list'; kind: Kind<infer T> }
    ? readonly T[]
    : boolean;

/** The settings of one command, by name. */
export type SettingsOf<N extends CommandName> = {
  readonly [K in SettingName as N extends CommandsOf<Table[K]> ? K : never]: ValueOf<Table[K]>;
};

/** Whether `command` has the setting. */
function belongsTo(setting: Setting, command: CommandName): boolean {
  return setting.form === 'switch'
    ? (setting.commands as readonly CommandName[]).includes(command)
    : Object.hasOwn(setting.defaults, command);
}

/** The names of the settings of `command`, in the order of the table. */
export function settingNames(command: CommandName): SettingName[] {
  return (Object.keys(SETTINGS) as SettingName[]).filter((name) => belongsTo(SETTINGS[name], command));
}

/** `upload-limit` → `BUGTORRENT_UPLOAD_LIMIT`. */
export function environmentName(name: string): string {
  return `BUGTORRENT_${name.toUpperCase().replaceAll('-', '_')}`;
}
