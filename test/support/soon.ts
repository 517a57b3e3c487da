const STEP_MS = 5;

/** Resolves once `condition` holds; for what another process or connection brings about. Rejects after `withinMs`. */
export async function soon(condition: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; !(await condition()); ) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
