import { Dialog } from './dialog.js';
import { byId, say } from './element.js';

const UNIT = 1024;

/** Rates in bytes a second, null without a limit; `slots` is left out where it has no meaning. */
export interface Limits {
  readonly upload: number | null;
  readonly download: number | null;
  readonly slots?: number;
}

/** Limits of the daemon or of one file. */
export class LimitsDialog {
  readonly #dialog = new Dialog('limits');
  readonly #upload = byId<HTMLInputElement>('limits-upload');
  readonly #download = byId<HTMLInputElement>('limits-download');
  readonly #slots = byId<HTMLInputElement>('limits-slots');
  readonly #trouble = byId('limits-trouble');

  /** What `save` rejects with is shown, and the dialog stays. */
  ask(title: string, limits: Limits, save: (limits: Limits) => Promise<void>): void {
    say(byId('limits-title'), title);
    this.#upload.value = inField(limits.upload);
    this.#download.value = inField(limits.download);
    this.#slots.value = `${limits.slots ?? ''}`;
    byId('limits-slots-label').hidden = limits.slots === undefined;
    this.#trouble.hidden = true;
    this.#dialog.open(async () => {
      try {
        await save(this.#read(limits.slots !== undefined));
        this.#dialog.close();
      } catch (error) {
        say(this.#trouble, (error as Error).message);
        this.#trouble.hidden = false;
      }
    });
  }

  #read(withSlots: boolean): Limits {
    const rates = { upload: rateIn('Upload', this.#upload), download: rateIn('Download', this.#download) };
    if (!withSlots) return rates;
    const slots = Number(this.#slots.value);
    if (!Number.isInteger(slots) || slots < 1)
      throw new RangeError('Upload slots: write a whole number from 1.');
    return { ...rates, slots };
  }
}

function inField(limit: number | null): string {
  return limit === null ? '' : `${Math.round((limit / UNIT) * 100) / 100}`;
}

function rateIn(what: string, field: HTMLInputElement): number | null {
  const text = field.value.trim();
  if (text === '') return null;
  const limit = Math.round(Number(text) * UNIT);
  if (!(limit > 0) || !Number.isSafeInteger(limit)) {
    throw new RangeError(`${what}: write KiB a second, or nothing for no limit.`);
  }
  return limit;
}
