import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError, UsageError } from '../core/errors.js';
import type { HttpAddress } from '../daemon/setting-kinds.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { diskError, isErrno } from '../storage/disk-error.js';
import { ANY_START, isRunning } from '../storage/process-start.js';

/**
 * Where a running daemon serves its API: at `http` when that names a port, else where `http.json` in its state folder says.
 * Throws an OperationalError 'network' when no daemon runs there, with what to type.
 */
export async function daemonAddress(http: HttpAddress | null, stateDir: string): Promise<HostPort> {
  if (http === 'off') {
    throw new UsageError(
      'HTTP_OFF',
      'HTTP is off, and a daemon can be talked to over HTTP only: give its address, --http HOST:PORT',
    );
  }
  // Of port 0 the system made another.
  if (http !== null && http.port !== 0) return { ...http, host: connectable(http.host) };
  const { host, port, pid } = await readAddress(join(stateDir, 'http.json'));
  // Whoever listens there now must not be sent a token.
  if (!(await isRunning(pid, ANY_START))) {
    throw noDaemon(
      `the daemon of ${stateDir} (process ${pid}) has ended without saying so; start it again, or name another with --http HOST:PORT or --state DIR`,
    );
  }
  return { host: connectable(host), port };
}

/** Of all addresses of the machine, one can be connected to. */
function connectable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

async function readAddress(path: string): Promise<HostPort & { readonly pid: number }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw diskError(error, path);
    throw noDaemon(
      `no daemon is running (there is no ${path}): start one with 'bugtorrent daemon', or name it with --state DIR or --http HOST:PORT`,
    );
  });
  const { host, port, pid } = parsed(text);
  if (typeof host === 'string' && isCount(port, 65_535) && isCount(pid, 2 ** 22)) return { host, port, pid };
  throw new OperationalError(
    'disk',
    'BAD_ADDRESS_FILE',
    `${path} is not what a daemon writes: restart the daemon, or name its address with --http HOST:PORT`,
  );
}

function parsed(text: string): { host?: unknown; port?: unknown; pid?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= most;
}

const noDaemon = (message: string) => new OperationalError('network', 'NO_DAEMON', message);

/** `http://127.0.0.1:5080` */
export function urlOf({ host, port }: HostPort): string {
  return `http://${formatHostPort(host, port)}`;
}
