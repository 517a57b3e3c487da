import { setTimeout as wait } from 'node:timers/promises';
import autocannon, { type Result } from 'autocannon';

export interface Scrape {
  readonly seconds: number;
  readonly bytes: number;
  /** CPU seconds that the daemon has used since its start, as it says itself. */
  readonly cpuSeconds: number;
}

const CPU_SECONDS = /^bugtorrent_process_cpu_seconds_total\{.*\} (\S+)$/gm;

/** One look at the metrics; throws unless it is answered with them. */
export async function scrape(url: string): Promise<Scrape> {
  const began = performance.now();
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}/metrics was answered with ${response.status}`);
  const seconds = (performance.now() - began) / 1e3;
  const cpuSeconds = [...text.matchAll(CPU_SECONDS)].reduce((sum, [, value]) => sum + Number(value), 0);
  return { seconds, bytes: text.length, cpuSeconds };
}

/** Runs `body` with a scrape every second meanwhile, as Prometheus would. */
export async function whileScraped<T>(url: string, body: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const scraping = (async () => {
    while (!over.signal.aborted) {
      await scrape(url);
      await wait(1_000, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  try {
    return await body();
  } finally {
    over.abort();
    await scraping;
  }
}

/** What is asked for again and again. */
export interface Asked {
  readonly name: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What many connections at once got, by name. */
export type Loads = ReadonlyMap<string, Result>;

/** Asks for each again and again over its share of the connections, for `seconds`. */
export async function load(
  url: string,
  { asked, connections, seconds }: { asked: readonly Asked[]; connections: number; seconds: number },
): Promise<Loads> {
  const each = Math.ceil(connections / asked.length);
  const results = await Promise.all(
    asked.map(({ path, headers = {} }) =>
      autocannon({
        ...{ url: `${url}${path}`, headers: { ...headers }, connections: each, duration: seconds },
        setupClient: dropBodies,
      }),
    ),
  );
  return new Map(asked.map(({ name }, i) => [name, results[i]!]));
}

/** It makes text of every body: 11 ms for a MiB of a file, in which it looks at no other connection, and measures itself. */
function dropBodies(client: object): void {
  const { pipelinedRequests } = client as { pipelinedRequests: { addBody(bytes: Buffer): void } };
  pipelinedRequests.addBody = () => {};
}
