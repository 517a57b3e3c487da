import { cutUtf8 } from './utf8.js';

/** File systems allow 255 bytes; the rest is room for what we append (`.part`, its journal). */
const MAX_BYTES = 240;
const UNNAMED = 'unnamed';

/** Separators, control and bidirectional characters, line breaks, and halves of code points. */
const UNSAFE = /[/\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;
/** Devices that Windows sees in any folder, with any extension. */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/iu;

/**
 * A name announced by a stranger, made fit to be one entry of one folder: never empty, never `.` or `..`,
 * no separators, no control or bidirectional characters, no Windows device name, no dot or space at the
 * end, no dot at the start (a stranger must not plant `.profile`), at most 240 bytes of UTF-8. Idempotent.
 */
export function safeFileName(name: string): string {
  let safe = trimEnd(cutUtf8(name.replace(UNSAFE, '_').trimStart(), MAX_BYTES));
  if (safe === '') return UNNAMED;
  if (safe.startsWith('.')) safe = `_${safe.slice(1)}`;
  if (RESERVED.test(safe)) safe = trimEnd(cutUtf8(`_${safe}`, MAX_BYTES));
  return safe;
}

function trimEnd(name: string): string {
  return name.replace(/[.\s]+$/u, '');
}
