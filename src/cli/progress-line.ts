import type { Progress } from '../daemon/downloader.js';
import { counted, formatBytes, formatClock, formatRate } from './quantity.js';
import { cutToWidth, escapeText, textWidth } from './terminal.js';

const GAP = '  ';
const WIDEST_BAR = 30;
const NARROWEST_BAR = 10;
const WIDEST_NAME = 30;
const NARROWEST_NAME = 8;

/** One line of at most `columns` columns: name, bar, percent, speed, ETA, peers, parts; less where room is short. */
export function progressLine(name: string, progress: Progress, columns: number): string {
  const facts = [percent(progress), formatRate(progress.rate), eta(progress), ...sources(progress)];
  while (facts.length > 1 && textWidth(facts.join(GAP)) > columns) facts.pop();
  let line = facts.join(GAP);
  const room = () => columns - textWidth(line) - GAP.length;
  if (room() >= NARROWEST_BAR) line = `${bar(share(progress), Math.min(room(), WIDEST_BAR))}${GAP}${line}`;
  if (room() >= NARROWEST_NAME)
    line = `${cutToWidth(escapeText(name), Math.min(room(), WIDEST_NAME))}${GAP}${line}`;
  return cutToWidth(line, columns);
}

/** The same for a log: a sentence without a bar. */
export function progressSentence(name: string, progress: Progress): string {
  const amount = `${formatBytes(progress.bytes)} of ${formatBytes(progress.total)}`;
  return `${name}: ${percent(progress).trim()}, ${[amount, formatRate(progress.rate), eta(progress), ...sources(progress)].join(', ')}`;
}

function share({ bytes, total }: Progress): number {
  return total === 0 ? 1 : Math.min(1, bytes / total);
}

function percent(progress: Progress): string {
  // Rounded down: 100% is said of whole files only.
  return `${Math.floor(share(progress) * 100)}%`.padStart(4);
}

function eta({ bytes, total, rate }: Progress): string {
  return `ETA ${formatClock(bytes >= total ? 0 : (total - bytes) / rate)}`;
}

function sources({ peers, parts }: Progress): string[] {
  return [...(peers === null ? [] : [counted(peers, 'peer')]), counted(parts, 'part')];
}

function bar(filled: number, columns: number): string {
  const inside = columns - 2;
  const full = Math.floor(filled * inside);
  return `[${'#'.repeat(full)}${'-'.repeat(inside - full)}]`;
}
