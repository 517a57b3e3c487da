import type { LiveSettings, SettingsStore } from '../../http/api/settings.js';
import { checkLimits, checkSlots } from '../adjustable.js';
import type { Seedbox } from '../seedbox.js';

export class DaemonSettings implements SettingsStore {
  readonly #seedbox: Pick<Seedbox, 'snapshot' | 'slots' | 'setLimits' | 'setSlots'>;

  constructor(seedbox: Pick<Seedbox, 'snapshot' | 'slots' | 'setLimits' | 'setSlots'>) {
    this.#seedbox = seedbox;
  }

  read(): LiveSettings {
    const { upload, download } = this.#seedbox.snapshot().limits;
    return { uploadLimit: upload, downloadLimit: download, slots: this.#seedbox.slots };
  }

  change({ uploadLimit, downloadLimit, slots }: Parameters<SettingsStore['change']>[0]): void {
    const limits = {
      ...(uploadLimit === undefined ? {} : { upload: uploadLimit }),
      ...(downloadLimit === undefined ? {} : { download: downloadLimit }),
    };
    checkLimits(limits);
    if (slots !== undefined) checkSlots(slots);
    this.#seedbox.setLimits(limits);
    if (slots !== undefined) this.#seedbox.setSlots(slots);
  }
}
