/** The downloads of a daemon, kept across restarts: one JSON file, replaced at once by a whole new one. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UsageError } from '../core/errors.js';
import { formatMagnet, type Magnet, parseMagnet } from '../model/magnet.js';
import { diskError, isErrno } from '../storage/disk-error.js';

export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface KeptTransfer {
  readonly magnet: Magnet;
  readonly priority: Priority;
  readonly paused: boolean;
  readonly sequential: boolean;
}

const FORM = z.object({
  version: z.literal(1),
  downloads: z.array(
    z.object({
      magnet: z.string().transform((text, context) => {
        const magnet = parseMagnet(text);
        if (magnet === null) context.addIssue('no magnet link');
        return magnet!;
      }),
      priority: z.enum(PRIORITIES),
      paused: z.boolean(),
      sequential: z.boolean(),
    }),
  ),
});

export class TransfersFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** In their order; none when there is no file yet. Throws UsageError 'BAD_STATE' and OperationalError 'disk'. */
  async read(): Promise<readonly KeptTransfer[]> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw diskError(error, this.#path);
    }
    try {
      return FORM.parse(JSON.parse(text)).downloads;
    } catch (cause) {
      const remedy =
        'move it away to start with none; what they had stored stays and is found when they are added again';
      throw new UsageError('BAD_STATE', `${this.#path} is no list of downloads: ${remedy}`, { cause });
    }
  }

  /** Writes come one after the other. Throws OperationalError 'disk'. */
  write(transfers: readonly KeptTransfer[]): Promise<void> {
    const downloads = transfers.map(({ magnet, ...rest }) => ({ magnet: formatMagnet(magnet), ...rest }));
    const text = `${JSON.stringify({ version: 1, downloads }, null, 1)}\n`;
    this.#writing = this.#writing.catch(() => {}).then(() => this.#replace(text));
    return this.#writing;
  }

  /** Resolves when all writes that were asked for have ended, well or not. Never rejects. */
  written(): Promise<void> {
    return this.#writing.catch(() => {});
  }

  async #replace(text: string): Promise<void> {
    const draft = `${this.#path}.new`;
    try {
      await writeFile(draft, text, { mode: 0o600, flush: true });
      await rename(draft, this.#path);
    } catch (error) {
      throw diskError(error, this.#path);
    }
  }
}
