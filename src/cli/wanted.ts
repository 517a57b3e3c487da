import { UsageError } from '../core/errors.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';
import { type Magnet, parseMagnet } from '../model/magnet.js';

/** What `get` was asked for. */
export type Wanted = { readonly md5: FileMd5 } | { readonly name: string } | { readonly magnet: Magnet };

/** Reads MAGNET, MD5 or NAME; whatever is neither of the first two is a name. */
export function parseWanted(text: string): Wanted {
  if (/^magnet:/i.test(text)) {
    const magnet = parseMagnet(text);
    if (magnet) return { magnet };
    throw new UsageError('BAD_MAGNET', `'${text}' is no magnet link with an MD5 (magnet:?xt=urn:md5:…)`);
  }
  const md5 = parseFileMd5(text);
  if (md5) return { md5 };
  if (text.trim() === '')
    throw new UsageError('NO_NAME', 'the name is empty: give a magnet link, an MD5 or a name');
  return { name: text };
}

/** What to call it until its name is known. */
export function wantedLabel(wanted: Wanted): string {
  if ('name' in wanted) return wanted.name;
  return 'magnet' in wanted ? (wanted.magnet.name ?? wanted.magnet.md5) : wanted.md5;
}
