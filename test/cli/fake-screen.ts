import type { Screen } from '../../src/cli/terminal.js';

/** A stream that remembers what was written. */
export class FakeScreen implements Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  written = '';

  constructor({ isTTY = false, columns = 80 }: { isTTY?: boolean; columns?: number } = {}) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.written += text;
  }

  get lines(): string[] {
    return this.written.split('\n').slice(0, -1);
  }
}
