import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Clock } from '../../core/clock.js';
import { formatHostPort, type HostPort } from '../../model/address.js';
import { decodeAcap } from '../../protocol/answers.js';
import { encodeRequest } from '../../protocol/encode.js';
import { isErrno } from '../../storage/disk-error.js';
import { type Finding, fail, ok } from './finding.js';
import { ask } from './probe.js';

const LOOPBACK: Readonly<Record<string, string>> = { '::': '127.0.0.1', '0.0.0.0': '127.0.0.1' };

/** Whether a daemon could listen there, or one of ours does already. */
export async function checkOwnPort(at: HostPort, withinMs: number, clock: Clock): Promise<Finding> {
  const check = `own port ${formatHostPort(at.host, at.port)}`;
  const server = createServer();
  try {
    server.listen({ port: at.port, ...(at.host === '::' ? {} : { host: at.host }) });
    await once(server, 'listening');
    await new Promise((closed) => server.close(closed));
    return ok(check, 'free');
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) return inUse(check, at, withinMs, clock);
    const fix = isErrno(error, 'EACCES')
      ? 'choose a port from 1024 on with --listen'
      : 'choose an address of this machine with --listen';
    return fail(check, `cannot be listened on (${(error as NodeJS.ErrnoException).code})`, fix);
  }
}

async function inUse(check: string, at: HostPort, withinMs: number, clock: Clock): Promise<Finding> {
  try {
    await ask({
      node: { host: LOOPBACK[at.host] ?? at.host, port: at.port },
      localAddress: undefined,
      decoder: decodeAcap(),
      request: () => encodeRequest({ command: 'CAPS' }),
      withinMs,
      clock,
    });
    return ok(check, 'a BugTorrent node listens there');
  } catch {
    return fail(
      check,
      'in use by another program',
      'stop that program, or choose another port with --listen',
    );
  }
}
