import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

const STDOUT = 1;
/** Seconds between two looks. */
const INTERVAL = '0.25';

/**
 * Calls `gone` when nobody reads the pipe on stdout any more; what is returned ends the watch.
 *
 * A write would tell, but nothing may be written before the file is proven, and Node cannot poll a descriptor. GNU tail
 * can: it dies of SIGPIPE as soon as the pipe on its stdout has no reader. Where tail is another one, or stdout no pipe,
 * only the first write tells.
 */
export function watchStdoutReader(gone: () => void): () => void {
  if (!fstatSync(STDOUT).isFIFO()) return () => {};
  const tail = spawn('tail', ['-f', '-s', INTERVAL, `--pid=${process.pid}`, '/dev/null'], {
    stdio: ['ignore', STDOUT, 'ignore'],
  });
  tail.on('error', () => {});
  tail.on('exit', (_code, signal) => {
    if (signal === 'SIGPIPE') gone();
  });
  // The reader sees the end of the file only when nobody could write any more.
  return () => tail.kill();
}
