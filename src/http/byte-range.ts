export interface ByteRange {
  readonly start: number;
  /** Not included. */
  readonly end: number;
}

const SINGLE = /^bytes *= *(\d*) *- *(\d*)$/i;

/**
 * What a Range header asks of so many bytes (RFC 9110 §14.1.2). Null: the whole, also when it asks for several ranges or
 * in a form that is to be ignored; 'unsatisfiable': for nothing that there is.
 */
export function rangeIn(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const [, first, last] = SINGLE.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') {
    const length = Math.min(size, Number(last));
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) };
}
