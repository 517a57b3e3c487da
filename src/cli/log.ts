import { type Logger, silentLogger } from '../core/logger.js';
import { isDebugging } from '../daemon/resolve-settings.js';
import type { Output } from './output.js';

/** pino's own names in a log line; all else are fields of the message. */
interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger on stderr: JSON lines, or readable ones where stderr is a terminal; `level` is the lowest that is shown. */
export async function openLogger(
  output: Output,
  env: NodeJS.ProcessEnv,
  level: 'info' | 'warn',
): Promise<Logger> {
  const { pino, stdTimeFunctions, stdSerializers } = await import('pino');
  const destination = {
    write: output.terminal.redraws
      ? (line: string) => showLine(output, JSON.parse(line) as LogLine)
      : (line: string) => output.terminal.raw(line),
  };
  const options = {
    level: isDebugging(env) ? 'debug' : level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.err },
  };
  const logger: Logger = pino(options, destination);
  return logger;
}

/** For commands that say what there is to say themselves: silent, unless BUGTORRENT_DEBUG asks. */
export async function debugLogger(output: Output, env: NodeJS.ProcessEnv): Promise<Logger> {
  // pino takes 30 ms to load.
  return isDebugging(env) ? openLogger(output, env, 'warn') : silentLogger;
}

function showLine(output: Output, { level, time, msg, ...fields }: LogLine): void {
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${inWords(value)}`);
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim';
  output.tell(`${time.slice(11, 19)} ${level.padEnd(5)} ${msg}${shown.join('')}`, colour);
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return value;
  const message = (value as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : JSON.stringify(value);
}
