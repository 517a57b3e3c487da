import type { AddedFile, ApiFile } from '../http/api/file.js';
import type { Status } from '../http/api/status.js';

/** JSON leaves C1 controls and bidirectional characters as they are; stdout may be a terminal. */
const INVISIBLE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The objects of `--json`, as the README lists them, by `event`. */
export type JsonEvent =
  | ProgressEvent
  | {
      event: 'result';
      md5: string;
      name: string;
      size: number;
      partSize: number;
      owners: number;
      tracker: string;
    }
  | { event: 'done'; md5: string; path: string; bytes: number; fetched: number; seconds: number }
  | { event: 'shared'; md5: string; name: string; size: number; magnet: string }
  | ({ event: 'file' } & ApiFile)
  | ({ event: 'added' } & AddedFile)
  | ({ event: 'status' } & Status)
  | { event: 'removed'; md5: string; name: string; data: boolean }
  | { event: 'check'; check: string; verdict: string; message: string; fix: string | null }
  | { event: 'error'; code: number; message: string };

interface ProgressEvent {
  event: 'progress';
  bytes: number;
  total: number;
  fetched: number;
  rate: number;
  peers: number;
  parts: number;
}

/** One object on one line, with its newline, safe to be seen on a terminal. */
export function jsonLine(event: JsonEvent): string {
  const text = JSON.stringify(event).replace(INVISIBLE, (character) =>
    // By UTF-16 unit, as JSON writes what lies above U+FFFF.
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${text}\n`;
}
