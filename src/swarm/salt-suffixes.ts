import type { NodeAddress } from '../model/address.js';

/** The texts that may stand behind a file's bytes in a salted id, if one of `owners` shared it (PROTOCOL.md §6). */
export function saltSuffixes(owners: Iterable<NodeAddress>): string[] {
  const suffixes = new Set<string>();
  for (const { v4, v6 } of owners) {
    const first = v4 ?? '';
    for (const second of v6 === null ? [`::ffff:${first}`, ''] : [v6]) suffixes.add(first + second);
  }
  return [...suffixes];
}
