import { Dialog } from './dialog.js';
import { byId, say } from './element.js';

/** Asks for the token of the API; only a token closes it. */
export class TokenPrompt {
  readonly #dialog = new Dialog('token');
  readonly #text = byId<HTMLInputElement>('token-text');

  constructor() {
    this.#dialog.root.addEventListener('cancel', (event) => event.preventDefault());
  }

  ask(wrong: boolean): Promise<string> {
    if (wrong) {
      const hint = byId('token-hint');
      say(hint, 'That token was not accepted. Check that all of it was copied.');
      hint.className = 'trouble';
    }
    this.#text.value = '';
    return new Promise((resolve) => {
      this.#dialog.open(() => {
        const token = this.#text.value.trim();
        // What a header cannot carry is no token.
        if (!/^[\x21-\x7e]+$/.test(token)) return;
        this.#dialog.close();
        resolve(token);
      });
      this.#text.focus();
    });
  }
}
