import { byId } from './element.js';

/** A dialog of the document with one form. At most one question is asked at a time. */
export class Dialog {
  readonly root: HTMLDialogElement;
  readonly #form: HTMLFormElement;
  #submit: (() => void | Promise<void>) | null = null;

  constructor(id: string) {
    this.root = byId<HTMLDialogElement>(id);
    this.#form = this.root.querySelector('form')!;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit?.();
    });
    for (const button of this.root.querySelectorAll('[data-close]')) {
      button.addEventListener('click', () => this.root.close());
    }
  }

  /** `submit` closes it when it is content. */
  open(submit: () => void | Promise<void>): void {
    this.#submit = submit;
    if (!this.root.open) this.root.showModal();
  }

  close(): void {
    this.root.close();
  }
}
