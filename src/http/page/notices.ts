import { byId, element } from './element.js';

const MAX_NOTICES = 4;
const STAY_MS = 6_000;

/** Says what happened, below; troubles stay until they are closed. */
export class Notices {
  readonly #root = byId('notices');

  done(text: string): void {
    const notice = this.#show(text, '');
    setTimeout(() => notice.remove(), STAY_MS);
  }

  trouble(error: unknown): void {
    const text = error instanceof Error ? error.message : `${error}`;
    this.#show(text.slice(0, 1).toUpperCase() + text.slice(1), ' bad');
  }

  #show(text: string, kind: string): HTMLElement {
    const close = element('button', { type: 'button', 'aria-label': 'Close this message' }, '×');
    const notice = element('div', { class: `notice${kind}` }, element('p', {}, text), close);
    close.addEventListener('click', () => notice.remove());
    while (this.#root.childElementCount >= MAX_NOTICES) this.#root.firstElementChild!.remove();
    this.#root.append(notice);
    return notice;
  }
}
