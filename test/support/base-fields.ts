/**
 * The fields of PROTOCOL.md §1 as another implementation writes and reads them. Written from that text
 * alone and sharing nothing with src, so that a mistake made there is not made here as well.
 */

/** `value` in exactly `width` decimal digits. */
export function digits(value: number, width: number): string {
  const text = String(value);
  if (!/^\d+$/.test(text) || text.length > width) throw new Error(`${value} does not fit ${width} digits`);
  return text.padStart(width, '0');
}

/** The number in a field of ASCII digits; throws when the field holds anything else. */
export function number(field: Uint8Array): number {
  const text = Buffer.from(field).toString('latin1');
  if (!/^[0-9]+$/.test(text)) throw new Error(`not a decimal field: ${JSON.stringify(text)}`);
  return Number.parseInt(text, 10);
}

/** UTF-8 text padded with blanks to `width` bytes. */
export function padded(text: string, width: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > width) throw new Error(`${JSON.stringify(text)} is longer than ${width} bytes`);
  return text + ' '.repeat(width - bytes);
}

/** IPP2P: dotted octets in three digits, `|`, eight groups in four; a missing IPv6 is the mapped IPv4. */
export function ipp2p(v4: string, v6: string | null): string {
  const octets = v4.split('.').map((octet) => Number.parseInt(octet, 10));
  return `${octets.map((octet) => digits(octet, 3)).join('.')}|${v6 === null ? mapped(octets) : expanded(v6)}`;
}

function mapped(octets: number[]): string {
  const hex = octets.map((octet) => octet.toString(16).padStart(2, '0'));
  return `0000:0000:0000:0000:0000:ffff:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
}

function expanded(v6: string): string {
  const [head = '', tail] = v6.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(':');
}

/** The IPv4 half of IPP2P in dotted short form, octets taken as decimal. */
export function v4Of(field: string): string {
  if (!/^(\d{3}\.){3}\d{3}\|([0-9a-f]{4}:){7}[0-9a-f]{4}$/.test(field))
    throw new Error(`not IPP2P: ${field}`);
  return field
    .slice(0, 15)
    .split('.')
    .map((octet) => String(Number.parseInt(octet, 10)))
    .join('.');
}

/** The parts a PartList names, part 0 being the most significant bit of byte 0; spare bits must be 0. */
export function partsOf(list: Uint8Array, partCount: number): number[] {
  const parts: number[] = [];
  for (let bit = 0; bit < list.length * 8; bit += 1) {
    if (((list[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) === 0) continue;
    if (bit >= partCount) throw new Error(`spare bit ${bit} of the PartList is set`);
    parts.push(bit);
  }
  return parts;
}
