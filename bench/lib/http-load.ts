import { setTimeout as wait } from 'node:timers/promises';
import autocannon, { type Result } from 'autocannon';

export interface Scrape {
  readonly seconds: number;
  readonly bytes: number;
}

/** One look at the metrics; throws unless it is answered with them. */
export async function scrape(url: string): Promise<Scrape> {
  const began = performance.now();
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}/metrics was answered with ${response.status}`);
  return { seconds: (performance.now() - began) / 1e3, bytes: text.length };
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

/** What many connections at once got, by path. */
export type Loads = ReadonlyMap<string, Result>;

/** Asks for each of the paths again and again over its share of the connections, for `seconds`. */
export async function load(
  url: string,
  { paths, connections, seconds }: { paths: readonly string[]; connections: number; seconds: number },
): Promise<Loads> {
  const each = Math.ceil(connections / paths.length);
  const results = await Promise.all(
    paths.map((path) => autocannon({ url: `${url}${path}`, connections: each, duration: seconds })),
  );
  return new Map(paths.map((path, i) => [path, results[i]!]));
}
