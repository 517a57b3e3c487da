import { inspect } from 'node:util';
import { OperationalError } from '../core/errors.js';
import { DEBUG_VARIABLE, isDebugging } from '../daemon/resolve-settings.js';
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.js';
import type { Output } from './output.js';
import type { StopRequest } from './stop-request.js';

interface Circumstances {
  readonly output: Output;
  readonly stop: StopRequest;
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
}

const STDOUT_UNREAD = 'STDOUT_UNREAD';

/** The failure of a command whose exit code 0 says more than what its reader, who went away, has read: of `get`, `verify`. */
export function unreadBefore(what: string): OperationalError {
  return new OperationalError('disk', STDOUT_UNREAD, `stdout: its reader went away before ${what}`);
}

/** Says why the command failed, to people and with `json` to programs; returns the exit code. */
export function reportFailure(error: unknown, { output, stop, env, json }: Circumstances): ExitCode {
  // Nobody reads: `bugtorrent search x | head -1` has done what was wanted.
  if (stop.reason === 'stdout closed' && !isOperational(error, STDOUT_UNREAD)) return EXIT.done;
  output.terminal.status('');
  const code = stop.reason !== null && isAbort(error) ? EXIT.interrupted : exitCodeOf(error);
  const isBug = code === EXIT.unexpected && !(error instanceof OperationalError);
  const message = messageOf(error, code, isBug);
  for (const line of `bugtorrent: ${message}`.split('\n'))
    output.tell(line, code === EXIT.interrupted ? 'yellow' : 'red');
  if (isBug) {
    output.tell(
      `This is a bug. Please report it, with what the same command prints under ${DEBUG_VARIABLE}=1.`,
    );
  }
  if (isDebugging(env)) for (const line of inspect(error).split('\n')) output.tell(line, 'dim');
  if (json) output.json({ event: 'error', code, message });
  return code;
}

function messageOf(error: unknown, code: ExitCode, isBug: boolean): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  // The one command that keeps nothing of what it did.
  const isVerify = isOperational(error, 'VERIFY_STOPPED');
  if (code === EXIT.interrupted && !isVerify) return 'interrupted; the same command goes on from here';
  return isBug ? `unexpected error: ${text}` : text;
}

function isOperational(error: unknown, code: string): boolean {
  return error instanceof OperationalError && error.code === code;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
