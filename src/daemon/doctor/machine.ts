import { networkInterfaces } from 'node:os';
import { DEFAULT_LISTENER_LIMITS } from '../../net/listener.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** `engines` of package.json. */
const OLDEST_NODE = [20, 19] as const;
/** Files, workers and outgoing connections beside the accepted ones. */
const OTHER_FILES = 1_000;
/** Below, a daemon runs into the limit with a handful of peers. */
const FEWEST_FILES = 256;
/** When this program was written, the clock showed later than that. */
const PAST = Date.UTC(2025, 0, 1);
/** A function that uses v128 instructions. */
const SIMD_MODULE = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
]);

/** `version` as in process.versions.node. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldMajor, oldMinor] = OLDEST_NODE;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor))
    return ok('Node.js', `version ${version}`);
  return fail('Node.js', `version ${version} is too old`, `install Node.js ${oldMajor}.${oldMinor} or newer`);
}

export function checkProcessors(count: number): Finding {
  if (count > 1) return ok('processors', `${count}`);
  const fix = 'give the machine or the container two or more';
  return warn('processors', 'one: hashing and the network share it', fix);
}

/** `validate` as WebAssembly.validate; `share` throws where memory cannot be shared between threads. */
export function checkWebAssembly(validate: (module: Uint8Array) => boolean, share: () => unknown): Finding {
  const check = 'WebAssembly';
  try {
    share();
  } catch {
    return fail(check, 'no memory that threads share', 'run Node.js without flags that restrict WebAssembly');
  }
  if (validate(SIMD_MODULE)) return ok(check, 'SIMD and shared memory');
  return warn(
    check,
    'no SIMD: parts are verified one at a time, slower',
    'use a processor with SSE4.1 or NEON',
  );
}

/** What this Node.js can. */
export function thisWebAssembly(): Finding {
  const share = () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  return checkWebAssembly((module) => WebAssembly.validate(module), share);
}

/** `most`: files and sockets that this process may have open; null: the system does not tell. */
export function checkOpenFiles(most: number | null): Finding {
  const check = 'open files';
  const wanted = DEFAULT_LISTENER_LIMITS.connections + OTHER_FILES;
  if (most === null) return ok(check, 'no limit known');
  if (most >= wanted) return ok(check, `up to ${most}`);
  const fix = `raise the limit to ${wanted} ('ulimit -n ${wanted}', or LimitNOFILE=${wanted} of a systemd unit)`;
  const message = `at most ${most}, but ${DEFAULT_LISTENER_LIMITS.connections} connections may be accepted`;
  return most < FEWEST_FILES ? fail(check, message, fix) : warn(check, message, fix);
}

/** The limit of this process; Node.js itself has raised it as far as it may. */
export function openFileLimit(): number | null {
  // Without it the report looks up the names of all connections.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | string } };
  };
  const most = userLimits?.open_files?.soft;
  return typeof most === 'number' ? most : null;
}

/** `now` in milliseconds since 1970. */
export function checkClock(now: number): Finding {
  const date = new Date(now).toISOString();
  if (now >= PAST) return ok('clock', date);
  const fix = 'set it: changed files are told by their times, and certificates and logs need it';
  return fail('clock', `it shows ${date}`, fix);
}

/** `addresses` of the interfaces of this machine. */
export function checkIpv6(
  addresses: readonly { readonly family: string; readonly internal: boolean }[],
): Finding {
  const v6 = addresses.filter(({ family }) => family === 'IPv6');
  if (v6.some(({ internal }) => !internal)) return ok('IPv6', 'available');
  const message = v6.length > 0 ? 'on loopback only' : 'none: listening on [::] takes IPv4 only';
  return warn(
    'IPv6',
    message,
    'nothing, unless peers are to be reached over IPv6: then give the machine an address',
  );
}

export function ownInterfaces() {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
}
