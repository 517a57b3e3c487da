import { OperationalError } from '../core/errors.js';
import type { CommandName } from '../daemon/settings.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import type { Invocation } from './invocation.js';
import { writeStats } from './stats-file.js';

/** What a command that runs until it is stopped has started. */
export interface Service {
  stop(): Promise<void>;
  stats(): object;
}

/** A little less than the ten seconds of DESIGN.md §1: the process has to end, too. */
const STOP_MS = 9_500;

/**
 * Starts a service, and when the command is asked to stop, stops it and writes its counters where
 * BUGTORRENT_STATS wants them. It returns in time even when starting or stopping hangs; with `patient`,
 * stopping takes as long as it takes.
 */
export async function serve(
  start: () => Promise<Service>,
  { stop, output, env }: Pick<Invocation<CommandName>, 'stop' | 'output' | 'env'>,
  patient = false,
): Promise<void> {
  const life = async () => {
    const service = await start();
    await stop.made();
    await service.stop();
    await writeStats(service.stats(), env);
  };
  let late: NodeJS.Timeout | undefined;
  const deadline = stop.made().then(() => {
    if (stop.reason === 'SIGINT' || stop.reason === 'SIGTERM')
      output.tell('stopping; the same signal again ends at once');
    return new Promise<void>((resolve) => {
      if (!patient) late = setTimeout(resolve, STOP_MS);
    });
  });
  await Promise.race([life(), deadline]);
  clearTimeout(late);
}

/** Runs `start`; where its port is taken, says which flag gives another. */
export async function listening<T>(address: HostPort, flag: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (cause) {
    if (!isAddressInUse(cause)) throw cause;
    const text = formatHostPort(address.host, address.port);
    throw new OperationalError(
      'network',
      'PORT_IN_USE',
      `${text} is in use by another process: stop that, or choose another port with ${flag} ${formatHostPort(address.host, 0)} (0: any free one)`,
      { cause },
    );
  }
}

/** Starts with the first of the addresses that is not in use. */
export async function firstFree<T>(
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

/** Whether a start failed because of a port that is taken. */
function isAddressInUse(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ((each as NodeJS.ErrnoException).code === 'EADDRINUSE') return true;
  }
  return false;
}
