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
 * Waits until the command is asked to stop, stops the service and writes its counters where
 * BUGTORRENT_STATS wants them. With `patient`, stopping takes as long as it takes.
 */
export async function serve(
  service: Service,
  { stop, output, env }: Pick<Invocation<CommandName>, 'stop' | 'output' | 'env'>,
  patient = false,
): Promise<void> {
  await stop.made();
  if (stop.reason !== 'stdout closed') output.tell('stopping; the same signal again ends at once');
  let late: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    if (!patient) late = setTimeout(resolve, STOP_MS);
  });
  await Promise.race([service.stop(), deadline]);
  clearTimeout(late);
  await writeStats(service.stats(), env);
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

/** Whether a start failed because of a port that is taken. */
export function isAddressInUse(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ((each as NodeJS.ErrnoException).code === 'EADDRINUSE') return true;
  }
  return false;
}
