/**
 * What the trackers found, or those around them.
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
  readonly #add: (found: Found, isAround: boolean) => Promise<boolean>;
  readonly #around = byId<HTMLButtonElement>('results-around');
  #text = '';
  readonly #root = byId('results');
  readonly #state = byId('results-state');
  readonly #list = byId('results-list');
  #round = 0;

  /** `add` resolves with whether it was added; `isAround`: other trackers know it, maybe not ours. */
  constructor(api: Api, add: (found: Found, isAround: boolean) => Promise<boolean>) {
    this.#api = api;
    this.#add = add;
    this.#around.addEventListener('click', () => {
      void this.#ask('Asking the trackers around… this may take half a minute.', true);
    });
    byId('results-close').addEventListener('click', () => {
      this.#round++;
      this.#root.hidden = true;
      byId('entry-text').focus();
    });
  }

  /** Never rejects: what went wrong is shown in its place. */
  search(text: string): Promise<void> {
    this.#text = text;
    this.#root.hidden = false;
    say(byId('results-title'), `Search for “${text}”`);
    return this.#ask('Asking the trackers…', false);
  }

  async #ask(meanwhile: string, isAround: boolean): Promise<void> {
    const round = ++this.#round;
    this.#list.replaceChildren();
    this.#around.hidden = true;
    this.#say(meanwhile);
    try {
      const { results } = await this.#api.get<{ results: readonly Found[] }>(
        `/search?text=${encodeURIComponent(this.#text)}&flood=${isAround}`,
      );
      if (round !== this.#round) return;
      this.#show(results, isAround);
      this.#around.hidden = isAround;
    } catch (error) {
      if (round !== this.#round) return;
      this.#say((error as Error).message);
      this.#around.hidden = false;
    }
  }

  #show(results: readonly Found[], isAround: boolean): void {
    if (results.length === 0) {
      this.#say('Nothing found. Try fewer words, or another part of the name.');
      return;
    }
    this.#say(
      results.length > MAX_SHOWN
        ? `The first ${MAX_SHOWN} of ${results.length}: add a word to narrow it.`
        : '',
    );
    this.#list.replaceChildren(...results.slice(0, MAX_SHOWN).map((found) => this.#item(found, isAround)));
  }

  #item(found: Found, isAround: boolean): HTMLElement {
    const button = element('button', { type: 'button', 'aria-label': `Add ${found.name}` }, 'Add');
    button.addEventListener('click', () => {
      button.disabled = true;
      void this.#add(found, isAround).then((added) => {
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
