/** Cuts bytes into the pieces a stream might deliver: one border after each of `borders`, sorted and within. */
export function piecesOf(bytes: Uint8Array, borders: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const border of [...borders].sort((a, b) => a - b)) {
    if (border > bytes.length) break;
    pieces.push(bytes.subarray(from, border));
    from = border;
  }
  pieces.push(bytes.subarray(from));
  return pieces;
}
