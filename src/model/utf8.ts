const encoder = new TextEncoder();

/** The longest beginning of `text` that has at most `maxBytes` bytes in UTF-8, cut at a code-point border. */
export function cutUtf8(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const { read } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
