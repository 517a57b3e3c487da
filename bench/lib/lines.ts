import type { Readable } from 'node:stream';

const KEPT = 50_000;

/** The lines a process has printed so far (the newest 50,000) and will print; nothing is missed in between. */
export class Lines {
  readonly all: string[] = [];
  readonly #waiting = new Set<() => void>();
  #rest = '';
  #dropped = 0;
  #ended = false;

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#take(text));
    stream.on('close', () => {
      this.#ended = true;
      this.#take(this.#rest === '' ? '' : '\n');
    });
  }

  /** The first line that `wanted` maps to something; throws after `timeoutMs`, or when no line can come any more. */
  async first<T>(wanted: (line: string) => T | null | undefined, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (let at = 0; ; ) {
      for (at = Math.max(at, this.#dropped); at < this.#dropped + this.all.length; at += 1) {
        const found = wanted(this.all[at - this.#dropped]!);
        if (found !== null && found !== undefined) return found;
      }
      const left = deadline - performance.now();
      if (this.#ended || left <= 0) throw new Error(`no such line ${this.#ended ? 'to the end' : 'in time'}`);
      await this.#more(left);
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.all.push(...lines);
    const surplus = Math.max(0, this.all.length - KEPT);
    this.all.splice(0, surplus);
    this.#dropped += surplus;
    for (const wake of this.#waiting) wake();
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
    });
  }
}
