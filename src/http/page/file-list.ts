/**
 * The list of files: only rows in sight exist, so that ten thousand files cost as much as twenty.
 *
 * Invariant: `#rows` are those in sight after `#draw`; the chosen file stays chosen by its MD5 wherever it moves to.
 */
import type { Api } from './api.js';
import type { FileChanges, FileEntry } from './contract.js';
import { byId, say } from './element.js';
import { FileRow } from './file-row.js';
import { FileWindow } from './file-window.js';
import { count } from './quantity.js';

/** Out of sight on either side. */
const SPARE = 4;
/** Browsers lay out about 16 million pixels. */
const MAX_ROWS = 200_000;
/** Rows that change places each second cannot be read. */
const REORDER_MS = 4_000;
const TYPING_MS = 200;

export interface FileListEvents {
  chosen(md5: string | null): void;
  toggle(file: FileEntry): void;
  remove(file: FileEntry): void;
}

export class FileList {
  readonly #box = byId('rows');
  readonly #space = byId('rows-space');
  readonly #total = byId('files-total');
  readonly #empty = byId('files-empty');
  readonly #text = byId<HTMLInputElement>('files-text');
  readonly #state = byId<HTMLSelectElement>('files-state');
  readonly #sort = byId<HTMLSelectElement>('files-sort');
  readonly #phone = matchMedia('(max-width: 640px)');
  readonly #window: FileWindow;
  readonly #events: FileListEvents;
  readonly #rows: FileRow[] = [];
  #chosen: string | null = null;
  /** Chosen by its place, on a page that was asked for. */
  #awaited: number | null = null;
  #drawing = false;
  #stale = false;
  #refreshedAt = 0;

  constructor(api: Api, events: FileListEvents) {
    this.#events = events;
    this.#window = new FileWindow(api, this.#query(), () => this.#drawSoon());
    let typing: ReturnType<typeof setTimeout>;
    this.#text.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#ask(), TYPING_MS);
    });
    for (const select of [this.#state, this.#sort]) select.addEventListener('change', () => this.#ask());
    this.#box.addEventListener('scroll', () => this.#drawSoon(), { passive: true });
    this.#box.addEventListener('keydown', (event) => this.#key(event));
    this.#box.addEventListener('click', ({ target }) => {
      const row = this.#rows.find(({ root }) => root.contains(target as Node));
      if (row?.md5 != null) this.choose(row.md5);
    });
    new ResizeObserver(() => this.#drawSoon()).observe(this.#box);
  }

  /** Asks for everything again. */
  reload(): void {
    void this.#refresh();
  }

  /** What changed at the daemon. */
  apply(changes: FileChanges): void {
    this.#stale = this.#window.apply(changes) || this.#stale;
    if (this.#chosen !== null && changes.removed.includes(this.#chosen))
      this.choose(this.#beside(changes.removed));
    this.#drawSoon();
    if (changes.removed.length > 0) void this.#refresh();
  }

  /** To be called each second. Does not change the order under a pointer. */
  tick(now: number): void {
    const byRate = this.#window.query.sort.startsWith('rate');
    if (!(this.#stale || byRate) || now - this.#refreshedAt < REORDER_MS) return;
    if (this.#stale || !this.#box.matches(':hover, :focus')) void this.#refresh();
  }

  choose(md5: string | null): void {
    this.#awaited = null;
    if (md5 === this.#chosen) return;
    this.#chosen = md5;
    this.#drawSoon();
    this.#events.chosen(md5);
  }

  get #rowHeight(): number {
    return this.#phone.matches ? 76 : 52;
  }

  get #count(): number {
    return Math.min(this.#window.total ?? 0, MAX_ROWS);
  }

  #query() {
    return { state: this.#state.value, text: this.#text.value.trim(), sort: this.#sort.value };
  }

  #ask(): void {
    this.#box.scrollTop = 0;
    this.#awaited = null;
    this.#window.ask(this.#query());
  }

  #refresh(): Promise<void> {
    this.#stale = false;
    this.#refreshedAt = performance.now();
    const { first, last } = this.#sight();
    return this.#window.refresh(first, last);
  }

  #sight(): { first: number; last: number } {
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - SPARE);
    const last = Math.ceil((scrollTop + clientHeight) / this.#rowHeight) + SPARE;
    return { first, last: Math.max(first, Math.min(last, this.#count - 1)) };
  }

  /** The file below the chosen one, or above it where it was the last. */
  #beside(removed: readonly string[]): string | null {
    const at = this.#window.indexOf(this.#chosen!);
    if (at === null) return null;
    const md5s = [this.#window.at(at + 1), this.#window.at(at - 1)].map((file) => file?.md5 ?? null);
    return md5s.find((md5) => md5 !== null && !removed.includes(md5)) ?? null;
  }

  #drawSoon(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw(): void {
    const awaited = this.#awaited === null ? null : this.#window.at(this.#awaited);
    if (awaited !== null) this.choose(awaited.md5);
    const count = this.#count;
    this.#space.style.height = `${count * this.#rowHeight}px`;
    const { first, last } = this.#sight();
    const shown = count === 0 ? 0 : last - first + 1;
    while (this.#rows.length < shown) {
      const row = new FileRow();
      this.#rows.push(row);
      this.#space.append(row.root);
    }
    for (const row of this.#rows.splice(shown)) row.root.remove();
    let active: string | null = null;
    this.#rows.forEach((row, at) => {
      const file = this.#window.at(first + at);
      const chosen = file !== null && file.md5 === this.#chosen;
      row.show(file, first + at, count, chosen);
      if (chosen) active = row.root.id;
    });
    if (active === null) this.#box.removeAttribute('aria-activedescendant');
    else this.#box.setAttribute('aria-activedescendant', active);
    if (count > 0) this.#window.want(first, last);
    this.#sayHowMany();
  }

  #sayHowMany(): void {
    const { total, error, query } = this.#window;
    say(this.#total, total === null ? '' : total.toLocaleString('en'));
    this.#box.hidden = total === 0 || (total === null && error !== null);
    this.#empty.hidden = !this.#box.hidden && (total ?? 0) <= MAX_ROWS;
    if (error !== null && total === null) say(this.#empty, error);
    else if (total !== null && total > MAX_ROWS) {
      say(
        this.#empty,
        `Only the first ${count(MAX_ROWS, 'file', 'files')} can be scrolled to: filter by name.`,
      );
    } else if (query.text !== '' || query.state !== 'all') {
      say(this.#empty, 'No file fits this filter. Clear the name or choose “All states”.');
    } else {
      say(
        this.#empty,
        'No files yet. Paste a magnet link above, search for a name, or share a folder by its path.',
      );
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.#chosen === null ? null : this.#window.indexOf(this.#chosen);
    const file = at === null ? null : this.#window.at(at);
    const page = Math.max(1, Math.floor(this.#box.clientHeight / this.#rowHeight) - 1);
    const steps: Record<string, number> = {
      ...{ ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page },
      ...{ Home: -MAX_ROWS, End: MAX_ROWS },
    };
    const step = steps[event.key];
    if (step !== undefined) this.#chooseAt(at === null ? (step > 1 ? step : 0) : at + step);
    else if (file === null) return;
    else if (event.key === ' ') this.#events.toggle(file);
    else if (event.key === 'Delete') this.#events.remove(file);
    else if (event.key === 'Enter') byId('detail-name').focus();
    else return;
    event.preventDefault();
  }

  #chooseAt(index: number): void {
    const at = Math.max(0, Math.min(index, this.#count - 1));
    const top = at * this.#rowHeight;
    const { scrollTop, clientHeight } = this.#box;
    if (top < scrollTop) this.#box.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + clientHeight) {
      this.#box.scrollTop = top + this.#rowHeight - clientHeight;
    }
    const file = this.#window.at(at);
    if (file !== null) {
      this.choose(file.md5);
    } else {
      this.#awaited = at;
      this.#window.want(at, at);
    }
  }
}
