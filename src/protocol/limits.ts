/** The longest request, AQUE (PROTOCOL.md §5), in bytes: the most a request decoder ever keeps. */
export const MAX_REQUEST = 212;
/** Three digits of #idmd5, #hitpeer and #cap (PROTOCOL.md §1, §7.4): records in one answer. */
export const MAX_RECORDS = 999;
/** Five digits of Lenchunk (PROTOCOL.md §4), in bytes. */
export const MAX_CHUNK = 99_999;
/** The text of a LOOK or QUER (PROTOCOL.md §1), in bytes of UTF-8. */
export const RICERCA_LENGTH = 20;
/** Bytes of a keyword filter in AFIL (PROTOCOL.md §7.6): a power of two between these. */
export const MIN_KEYWORD_FILTER = 64;
export const MAX_KEYWORD_FILTER = 65_536;
