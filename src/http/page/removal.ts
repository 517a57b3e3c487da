import type { FileEntry } from './contract.js';
import { Dialog } from './dialog.js';
import { byId, say } from './element.js';

/** Asks before a file is removed. */
export class Removal {
  readonly #dialog = new Dialog('removal');
  readonly #data = byId<HTMLInputElement>('removal-data');

  /** `remove` is called when the user says so. */
  ask(file: FileEntry, remove: (data: boolean) => void): void {
    const shared = file.state === 'shared';
    say(byId('removal-title'), shared ? 'Stop sharing this file?' : 'Remove this download?');
    say(byId('removal-name'), file.name);
    say(
      byId('removal-meaning'),
      shared
        ? 'It is withdrawn at the trackers. The file stays on the disk unless you choose otherwise.'
        : 'Parts that are stored stay on the disk, for when it is added again, unless you choose otherwise.',
    );
    say(byId('removal-go'), shared ? 'Stop sharing' : 'Remove');
    this.#data.checked = false;
    this.#dialog.open(() => {
      this.#dialog.close();
      remove(this.#data.checked);
    });
  }
}
