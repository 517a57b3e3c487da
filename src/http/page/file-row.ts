/** One row of the list of files; shows another file as the list is scrolled. */
import type { FileEntry, FileState } from './contract.js';
import { element, say } from './element.js';
import { bytes, count, percent, rate } from './quantity.js';

const WORDS: Readonly<Record<FileState, string>> = {
  shared: 'Shared',
  queued: 'Queued',
  searching: 'Looking for it',
  downloading: 'Downloading',
  waiting: 'Waiting for owners',
  paused: 'Paused',
  failed: 'Failed',
};

export function stateWord(file: FileEntry): string {
  const word = WORDS[file.state] ?? file.state;
  if (file.state === 'shared' || file.stored === 0) return word;
  return `${word} · ${percent(file.stored / file.size)}`;
}

export class FileRow {
  readonly root = element('div', { class: 'row', role: 'option' });
  readonly #name = element('span', { class: 'row-name', dir: 'auto' });
  readonly #size = element('span', { class: 'size' });
  readonly #word = element('span', { class: 'word' });
  readonly #progress = element('progress', { max: 1, 'aria-hidden': 'true' });
  readonly #rate = element('span', { class: 'rate' });
  readonly #peers = element('span', { class: 'peers' });
  #md5: string | null = null;

  constructor() {
    const state = element('span', {}, this.#word, this.#progress);
    this.root.append(this.#name, this.#size, state, this.#rate, this.#peers);
  }

  /** What it shows; null while that is not known. */
  get md5(): string | null {
    return this.#md5;
  }

  show(file: FileEntry | null, index: number, total: number, chosen: boolean): void {
    const { root } = this;
    this.#md5 = file?.md5 ?? null;
    root.id = `row-${index}`;
    root.style.transform = `translateY(calc(${index} * var(--row)))`;
    root.setAttribute('aria-setsize', `${total}`);
    root.setAttribute('aria-posinset', `${index + 1}`);
    root.setAttribute('aria-selected', `${chosen}`);
    root.dataset.state = file?.state ?? '';
    say(this.#name, file === null ? '…' : file.name);
    this.#name.title = this.#name.textContent;
    say(this.#size, file === null || file.size === 0 ? '' : bytes(file.size));
    say(this.#word, file === null ? '' : stateWord(file));
    this.#progress.hidden = file === null || file.state === 'shared';
    this.#progress.value = file?.size ? file.stored / file.size : 0;
    const moving = file !== null && file.rate > 0;
    say(this.#rate, moving ? `${file.state === 'shared' ? '↑' : '↓'} ${rate(file.rate)}` : '');
    this.#rate.className = `rate${moving ? ' moving' : ''}${file?.state === 'shared' ? ' out' : ''}`;
    say(this.#peers, file === null || file.peers === 0 ? '' : count(file.peers, 'peer', 'peers'));
  }
}
