import { element, say } from './element.js';

export interface Column {
  readonly title: string;
  readonly number?: boolean;
}

/** A table whose rows are replaced as a whole, cell by cell where their number stays; or a line that says why there are none. */
export class Table {
  readonly #root: HTMLElement;
  readonly #columns: readonly Column[];
  readonly #body = element('tbody');
  readonly #table: HTMLTableElement;
  readonly #empty = element('p', { class: 'empty' });

  constructor(root: HTMLElement, columns: readonly Column[]) {
    this.#root = root;
    this.#columns = columns;
    const titles = columns.map(({ title, number = false }) =>
      element('th', { scope: 'col', class: number ? 'number' : null }, title),
    );
    this.#table = element('table', {}, element('thead', {}, element('tr', {}, ...titles)), this.#body);
  }

  /** `why` stands there when there are no rows. */
  show(rows: readonly (readonly string[])[], why: string): void {
    const shown = rows.length === 0 ? this.#empty : this.#table;
    say(this.#empty, why);
    if (shown.parentNode !== this.#root) this.#root.replaceChildren(shown);
    while (this.#body.rows.length > rows.length) this.#body.deleteRow(-1);
    rows.forEach((texts, at) => {
      const row = this.#body.rows[at] ?? this.#body.appendChild(this.#newRow());
      texts.forEach((text, cell) => {
        say(row.cells[cell]!, text);
      });
    });
  }

  #newRow(): HTMLTableRowElement {
    return element(
      'tr',
      {},
      ...this.#columns.map(({ number = false }) => element('td', { class: number ? 'number' : null })),
    );
  }
}
