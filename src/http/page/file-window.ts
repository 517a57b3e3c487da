/**
 * What the page knows of the list of files: the pages of it that were looked at.
 *
 * Invariant: `#pages` holds at most MAX_PAGES, all of them answers to `#query`; an answer to an earlier query is dropped.
 */
import type { Api } from './api.js';
import type { FileChanges, FileEntry, FilePage } from './contract.js';

const PAGE = 100;
const MAX_PAGES = 20;

export interface FileQuery {
  readonly state: string;
  readonly text: string;
  /** As `rate.desc`. */
  readonly sort: string;
}

export class FileWindow {
  readonly #api: Api;
  readonly #changed: () => void;
  #query: FileQuery;
  #pages = new Map<number, readonly FileEntry[]>();
  #loading = new Set<number>();
  #round = 0;
  /** Null until the first answer. */
  #total: number | null = null;
  #error: string | null = null;

  /** `changed` is called after each answer. */
  constructor(api: Api, query: FileQuery, changed: () => void) {
    this.#api = api;
    this.#query = query;
    this.#changed = changed;
  }

  get query(): FileQuery {
    return this.#query;
  }

  get total(): number | null {
    return this.#total;
  }

  /** Why the last page could not be had. */
  get error(): string | null {
    return this.#error;
  }

  at(index: number): FileEntry | null {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Its place, if it is on a page that is here. */
  indexOf(md5: string): number | null {
    for (const [page, files] of this.#pages) {
      const at = files.findIndex((file) => file.md5 === md5);
      if (at !== -1) return page * PAGE + at;
    }
    return null;
  }

  /** Begins anew with another query. */
  ask(query: FileQuery): void {
    this.#query = query;
    this.#round++;
    this.#pages.clear();
    this.#loading.clear();
    this.#total = null;
    void this.#load(0);
  }

  /** Sees to it that these are here, or will be. */
  want(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) {
      if (!this.#pages.has(page)) void this.#load(page);
    }
  }

  /** Asks again for what is looked at; other pages are asked for when they are. What is here stays until the answer. */
  async refresh(first: number, last: number): Promise<void> {
    const from = Math.floor(first / PAGE);
    const to = Math.floor(last / PAGE);
    for (const page of this.#pages.keys()) if (page < from || page > to) this.#pages.delete(page);
    for (let page = from; page <= to; page++) await this.#load(page);
  }

  /** Whether the order or the number of files may be another now. */
  apply({ changed, removed }: FileChanges): boolean {
    const latest = new Map(changed.map((file) => [file.md5, file]));
    const gone = new Set(removed);
    let moved = false;
    for (const [page, files] of this.#pages) {
      if (!files.some(({ md5 }) => latest.has(md5) || gone.has(md5))) continue;
      const next = files.map((file) => latest.get(file.md5) ?? file);
      moved ||= files.some((file, at) => gone.has(file.md5) || file.state !== next[at]!.state);
      for (const { md5 } of files) latest.delete(md5);
      this.#pages.set(page, next);
    }
    return moved || latest.size > 0;
  }

  async #load(page: number): Promise<void> {
    if (this.#loading.has(page)) return;
    this.#loading.add(page);
    const round = this.#round;
    const { state, text, sort } = this.#query;
    const [by = 'name', order = 'asc'] = sort.split('.');
    const query = new URLSearchParams({
      ...{ offset: `${page * PAGE}`, limit: `${PAGE}`, state, sort: by, order },
      ...(text === '' ? {} : { text }),
    });
    try {
      const answer = await this.#api.get<FilePage>(`/files?${query}`);
      if (round !== this.#round) return;
      this.#total = answer.total;
      this.#error = null;
      this.#pages.delete(page);
      this.#pages.set(page, answer.files);
      for (const oldest of this.#pages.keys()) {
        if (this.#pages.size <= MAX_PAGES) break;
        this.#pages.delete(oldest);
      }
    } catch (error) {
      if (round !== this.#round) return;
      this.#error = (error as Error).message;
    } finally {
      if (round === this.#round) this.#loading.delete(page);
    }
    this.#changed();
  }
}
