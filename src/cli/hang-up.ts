import { isatty } from 'node:tty';
import type { StopRequest } from './stop-request.js';

const STDERR = 2;

/** Has `reload` called at each SIGHUP until the returned function is called. A terminal that is closed sends the same signal. */
export function onHangUp(stop: StopRequest, reload: () => void): () => void {
  const hadTerminal = isatty(STDERR);
  const hungUp = () => {
    if (hadTerminal && !isatty(STDERR)) stop.make('SIGHUP');
    else reload();
  };
  process.on('SIGHUP', hungUp);
  return () => process.off('SIGHUP', hungUp);
}
