/** Of counters by reason, those that are not 0: what never happened is counted, too. */
export const happened = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
