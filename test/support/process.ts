import type { Child } from '../../bench/lib/child.js';
import { Program } from '../../bench/lib/program.js';
import { atEnd, type Scope } from './clean-up.js';

/** One line of `--json`. */
export type CliEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

const EVENT_WITHIN_MS = 20_000;
const LISTENS_WITHIN_MS = 30_000;

/** The built `bugtorrent` as a test runs it: whatever it starts is ended, by its id, when the test is over. */
export class TestProgram extends Program {
  readonly #t: Scope;
  #started = 0;

  /** `folder` becomes the home and the working folder of every child. */
  constructor(t: Scope, folder: string, user: ConstructorParameters<typeof Program>[1] = {}) {
    super(folder, user);
    this.#t = t;
  }

  override async startScript(name: string, script: string, args: readonly string[]): Promise<Child> {
    const child = await super.startScript(name, script, args);
    atEnd(this.#t, () => child.end());
    return child;
  }

  /** Starts `bugtorrent ARGS`. */
  cli(...args: string[]): Promise<Child> {
    this.#started += 1;
    return this.start(`${args[0]}-${this.#started}`, args);
  }
}

/** HOST:PORT where a child that serves says that its tracker, daemon or http listens. */
export function listening(child: Child, what: 'tracker' | 'daemon' | 'http'): Promise<string> {
  return child.line((line) => new RegExp(`^${what} listening on (\\S+)$`).exec(line)?.[1], LISTENS_WITHIN_MS);
}

/** The first event called `name`, past or to come. */
export function eventOf(child: Child, name: string, timeoutMs = EVENT_WITHIN_MS): Promise<CliEvent> {
  return child.line((line) => {
    const event = parsed(line);
    return event?.event === name ? event : null;
  }, timeoutMs);
}

/** All events printed so far. */
export function eventsOf(child: Child): CliEvent[] {
  return child.stdout.all.flatMap((line) => parsed(line) ?? []);
}

function parsed(line: string): CliEvent | null {
  return line.startsWith('{') ? (JSON.parse(line) as CliEvent) : null;
}
