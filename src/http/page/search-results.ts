/**
 * What the trackers found.
 *
 * Invariant: only the answer to the last search is shown.
 */
import type { Api } from './api.js';
import type { Found } from './contract.js';
import { byId, element, say } from './element.js';
import { bytes, count } from './quantity.js';

const MAX_SHOWN = 200;

export class SearchResults {
  readonly #api: Api;
  readonly #add: (found: Found) => Promise<boolean>;
  readonly #root = byId('results');
  readonly #state = byId('results-state');
  readonly #list = byId('results-list');
  #round = 0;

  /** `add` resolves with whether it was added. */
  constructor(api: Api, add: (found: Found) => Promise<boolean>) {
    this.#api = api;
    this.#add = add;
    byId('results-close').addEventListener('click', () => {
      this.#round++;
      this.#root.hidden = true;
      byId('entry-text').focus();
    });
  }

  /** Never rejects: what went wrong is shown in its place. */
  async search(text: string): Promise<void> {
    const round = ++this.#round;
    this.#root.hidden = false;
    this.#list.replaceChildren();
    say(byId('results-title'), `Search for “${text}”`);
    this.#say('Asking the trackers…');
    try {
      const { results } = await this.#api.get<{ results: readonly Found[] }>(
        `/search?text=${encodeURIComponent(text)}`,
      );
      if (round === this.#round) this.#show(results);
    } catch (error) {
      if (round === this.#round) this.#say((error as Error).message);
    }
  }

  #show(results: readonly Found[]): void {
    if (results.length === 0) {
      this.#say('Nothing found. Try fewer words, or another part of the name.');
      return;
    }
    this.#say(
      results.length > MAX_SHOWN
        ? `The first ${MAX_SHOWN} of ${results.length}: add a word to narrow it.`
        : '',
    );
    this.#list.replaceChildren(...results.slice(0, MAX_SHOWN).map((found) => this.#item(found)));
  }

  #item(found: Found): HTMLElement {
    const button = element('button', { type: 'button', 'aria-label': `Add ${found.name}` }, 'Add');
    button.addEventListener('click', () => {
      button.disabled = true;
      void this.#add(found).then((added) => {
        button.disabled = added;
        if (added) say(button, 'Added');
      });
    });
    const about = `${bytes(found.size)} · ${count(found.owners, 'owner', 'owners')} · ${found.tracker}`;
    return element(
      'li',
      {},
      element('span', { class: 'name', dir: 'auto' }, found.name),
      element('span', { class: 'quiet' }, about),
      button,
    );
  }

  #say(text: string): void {
    this.#state.hidden = text === '';
    say(this.#state, text);
  }
}
