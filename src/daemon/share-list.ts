/** What was said while the daemon ran of what it shares, kept across restarts: `share-list.json` in the state folder. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../core/errors.js';
import { diskError, isErrno } from '../storage/disk-error.js';

/** Each is looked at in every scan. */
const MOST_ADDED = 10_000;

const FORM = z.object({
  version: z.literal(1),
  /** Files and folders shared besides those of the settings. */
  added: z.array(z.string()).max(MOST_ADDED),
  /** Files that are not shared though they lie in a shared folder. */
  withheld: z.array(z.string()),
});
type Kept = Omit<z.infer<typeof FORM>, 'version'>;

export class ShareList {
  readonly #path: string | null;
  #kept: Kept;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string | null, kept: Kept) {
    this.#path = path;
    this.#kept = kept;
  }

  /** `stateDir` null: all is forgotten at the end. Throws UsageError 'BAD_STATE' and OperationalError 'disk'. */
  static async open(stateDir: string | null): Promise<ShareList> {
    if (stateDir === null) return new ShareList(null, { added: [], withheld: [] });
    const path = join(stateDir, 'share-list.json');
    return new ShareList(path, await keptIn(path));
  }

  get added(): readonly string[] {
    return this.#kept.added;
  }

  get withheld(): readonly string[] {
    return this.#kept.withheld;
  }

  /** Throws UsageError 'TOO_MANY_SHARES' and OperationalError 'disk'. */
  add(path: string, withheld: Iterable<string>): Promise<void> {
    const added = [...new Set([...this.#kept.added, path])];
    if (added.length > MOST_ADDED) {
      const remedy = 'share a folder that contains several of them';
      throw new UsageError('TOO_MANY_SHARES', `${MOST_ADDED} paths were added already: ${remedy}`);
    }
    return this.#write({ added, withheld: [...withheld] });
  }

  /** Throws OperationalError 'disk'. A path that was added and is withheld is not one that was added. */
  keep(withheld: Iterable<string>): Promise<void> {
    const paths = new Set(withheld);
    return this.#write({ added: this.#kept.added.filter((path) => !paths.has(path)), withheld: [...paths] });
  }

  #write(kept: Kept): Promise<void> {
    this.#kept = kept;
    const path = this.#path;
    if (path === null) return Promise.resolve();
    const text = `${JSON.stringify({ version: 1, ...kept }, null, 1)}\n`;
    this.#writing = this.#writing.catch(() => {}).then(() => replace(path, text));
    return this.#writing;
  }
}

async function replace(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw diskError(error, path);
  }
}

async function keptIn(path: string): Promise<Kept> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { added: [], withheld: [] };
    throw diskError(error, path);
  }
  try {
    return FORM.parse(JSON.parse(text));
  } catch (cause) {
    const remedy = 'move it away to share what the settings say';
    throw new UsageError('BAD_STATE', `${path} is no list of shares: ${remedy}`, { cause });
  }
}
