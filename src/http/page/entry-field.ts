/** One field for all that is put in: what it means is said on its button before it is done. */
import { byId, say } from './element.js';

/** Text that an Add, Share or Search follows. */
export type Entry =
  | { readonly kind: 'magnet'; readonly magnet: string }
  | { readonly kind: 'md5'; readonly md5: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'search'; readonly text: string };

const BUTTONS: Readonly<Record<Entry['kind'], string>> = {
  magnet: 'Add',
  md5: 'Add',
  path: 'Share',
  search: 'Search',
};

/** Null for no text. */
function entryOf(text: string): Entry | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (/^magnet:/i.test(trimmed)) return { kind: 'magnet', magnet: trimmed };
  if (/^[0-9a-f]{32}$/i.test(trimmed)) return { kind: 'md5', md5: trimmed.toLowerCase() };
  if (/^(\/|~\/|[a-z]:[\\/]|\\\\)/i.test(trimmed)) return { kind: 'path', path: trimmed };
  return { kind: 'search', text: trimmed };
}

export class EntryField {
  readonly #text = byId<HTMLInputElement>('entry-text');
  readonly #button = byId<HTMLButtonElement>('entry-go');

  /** `enter` resolves with whether it was done: then the field is empty again. */
  constructor(enter: (entry: Entry) => Promise<boolean>) {
    this.#text.addEventListener('input', () => this.#sayWhat());
    byId('entry').addEventListener('submit', (event) => {
      event.preventDefault();
      const entry = entryOf(this.#text.value);
      if (entry === null) return this.#text.focus();
      this.#button.disabled = true;
      void enter(entry).then((done) => {
        this.#button.disabled = false;
        if (done && entry.kind !== 'search') this.#text.value = '';
        this.#sayWhat();
      });
    });
    document.addEventListener('keydown', (event) => {
      const typing = (event.target as Element).closest?.('input, select, textarea, dialog') != null;
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#text.focus();
    });
  }

  /** For something that only the path can tell, as after a file was dropped. */
  focus(): void {
    this.#text.focus();
  }

  #sayWhat(): void {
    say(this.#button, BUTTONS[entryOf(this.#text.value)?.kind ?? 'search']);
  }
}
