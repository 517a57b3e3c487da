/** So many at once: a session's files are more than should wait in a connection together. */
const BATCH = 64;

/** What `ask` gives for each item, in order; a batch at a time, so that other requests come between. */
export async function askInBatches<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < items.length; at += BATCH) {
    answers.push(...(await Promise.all(items.slice(at, at + BATCH).map(ask))));
  }
  return answers;
}
