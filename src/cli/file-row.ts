/** Files of a daemon as aligned lines; nothing in them is escaped. */
import type { ApiFile } from '../http/api/file.js';
import { formatBytes, formatRate } from './quantity.js';
import { cutToWidth, escapeText, textWidth } from './terminal.js';

const GAP = '  ';
const MD5_COLUMNS = 32;
/** With less left for the name, a terminal shows no MD5. */
const NARROWEST_NAME = 30;

const HEADER = columnsOf('STATE', 'DONE', 'SIZE', 'RATE', 'PEERS');

/** What stands above the rows of the same width. */
export function fileHeader(columns: number | null): string {
  return lineOf('MD5', HEADER, 'NAME', columns);
}

/** One line of at most `columns` columns; null: as long as the name makes it, and with the MD5. */
export function fileRow(file: ApiFile, columns: number | null): string {
  const { md5, name, state, size, rate, peers, error } = file;
  const facts = columnsOf(
    state,
    size === 0 ? '-' : donePercent(file),
    size === 0 ? '?' : formatBytes(size),
    rate === 0 ? '-' : formatRate(rate),
    peers === 0 ? '-' : String(peers),
  );
  return lineOf(md5, facts, error === null ? name : `${name}: ${error.message}`, columns);
}

/** Rounded down: 100% is said of whole files only. */
export function donePercent({ stored, size }: Pick<ApiFile, 'stored' | 'size'>): string {
  return `${size === 0 ? 100 : Math.floor((Math.min(stored, size) / size) * 100)}%`;
}

function columnsOf(state: string, done: string, size: string, rate: string, peers: string): string {
  return [state.padEnd(11), done.padStart(4), size.padStart(8), rate.padStart(10), peers.padStart(5)].join(
    GAP,
  );
}

function lineOf(md5: string, facts: string, name: string, columns: number | null): string {
  const safe = escapeText(name);
  const withMd5 = `${md5.padEnd(MD5_COLUMNS)}${GAP}${facts}${GAP}`;
  if (columns === null) return withMd5 + safe;
  const start = columns - textWidth(withMd5) < NARROWEST_NAME ? `${facts}${GAP}` : withMd5;
  return cutToWidth(start + safe, columns);
}
