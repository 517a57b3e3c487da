import type { FileHandle } from 'node:fs/promises';

const CHUNK = 1_048_576;
const LINE_BREAK = 0x0a;

/**
 * The lines of a file from its beginning, without their breaks; a line is valid until the next one. Null stands for a
 * line that is longer than `maxLength` bytes (not kept in memory) or that ends with the file instead of a break.
 */
export async function* readLines(file: FileHandle, maxLength: number): AsyncGenerator<Buffer | null> {
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  for (let position = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const chunk =
      rest.length === 0
        ? buffer.subarray(0, bytesRead)
        : Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    let start = 0;
    for (
      let end = chunk.indexOf(LINE_BREAK, rest.length);
      end !== -1;
      end = chunk.indexOf(LINE_BREAK, start)
    ) {
      yield isTooLong || end - start > maxLength ? null : chunk.subarray(start, end);
      isTooLong = false;
      start = end + 1;
    }
    rest = chunk.subarray(start);
    if (rest.length <= maxLength) continue;
    isTooLong = true;
    rest = Buffer.alloc(0);
  }
  if (isTooLong || rest.length > 0) yield null;
}
