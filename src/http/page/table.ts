import { element, say } from './element.js';

export interface Column {
  readonly title: string;
  readonly number?: boolean;
}

/** Text, or text with an explanation below it. */
export type Cell = string | readonly [text: string, below: string];

/** A table whose rows are replaced as a whole, cell by cell where their number stays; or a line that says why there are none. */
export class Table {
  readonly #root: HTMLElement;
  readonly #columns: readonly Column[];
  readonly #body = element('tbody');
  readonly #table: HTMLTableElement;
  readonly #empty = element('p', { class: 'empty' });

  /** Its title is the element with the id `title`. */
  constructor(root: HTMLElement, title: string, columns: readonly Column[]) {
    this.#root = root;
    root.role = 'group';
    root.setAttribute('aria-labelledby', title);
    this.#columns = columns;
    const titles = columns.map(({ title, number = false }) =>
      element('th', { scope: 'col', class: number ? 'number' : null }, title),
    );
    this.#table = element('table', {}, element('thead', {}, element('tr', {}, ...titles)), this.#body);
  }

  /** `why` stands there when there are no rows. */
  show(rows: readonly (readonly Cell[])[], why: string): void {
    const shown = rows.length === 0 ? this.#empty : this.#table;
    say(this.#empty, why);
    if (shown.parentNode !== this.#root) this.#root.replaceChildren(shown);
    while (this.#body.rows.length > rows.length) this.#body.deleteRow(-1);
    rows.forEach((cells, at) => {
      const row = this.#body.rows[at] ?? this.#body.appendChild(this.#newRow());
      cells.forEach((cell, column) => {
        const [text, below] = typeof cell === 'string' ? [cell, ''] : cell;
        const [first, second] = row.cells[column]!.children;
        say(first!, text);
        say(second!, below);
      });
    });
    // What scrolls has to be reached by keys.
    if (this.#root.scrollHeight > this.#root.clientHeight) this.#root.tabIndex = 0;
    else this.#root.removeAttribute('tabindex');
  }

  #newRow(): HTMLTableRowElement {
    return element(
      'tr',
      {},
      ...this.#columns.map(({ number = false }) =>
        element('td', { class: number ? 'number' : null }, element('span'), element('small')),
      ),
    );
  }
}
