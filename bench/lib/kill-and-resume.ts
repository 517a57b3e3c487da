import { setTimeout } from 'node:timers/promises';
import type { Child } from './child.js';

const FINISH_WITHIN_MS = 10 * 60_000;

export interface KillPlan {
  /** Starts the same `get --json` each time. */
  readonly start: () => Promise<Child>;
  readonly kills: number;
  /** Milliseconds that the next run may live, counted from its start and from its first stored bytes in turn. */
  readonly lifetime: () => number;
}

export interface KillReport {
  /** Less than planned when a run finished before its time. */
  readonly kills: number;
  /** Bytes fetched twice because of each kill that a later run could tell of. */
  readonly refetched: readonly number[];
  /** The `done` event of the last run. */
  readonly done: { readonly md5: string; readonly fetched: number };
}

interface Progress {
  readonly event: string;
  readonly bytes: number;
  readonly fetched: number;
}

/**
 * Runs one download again and again, each run ended by SIGKILL, and the last one left to finish. What a kill
 * cost is what had been stored and fetched by the last line before it, less what the next run began with.
 */
export async function killAndResume(plan: KillPlan): Promise<KillReport> {
  const refetched: number[] = [];
  let kills = 0;
  let had = 0;
  for (;;) {
    const child = await plan.start();
    if (kills < plan.kills) await killLater(child, plan.lifetime(), kills % 2 === 1);
    const { code, signal } = await child.exit(FINISH_WITHIN_MS);
    const lines = child.stdout.all.map((line) => JSON.parse(line) as Progress);
    const [first, last] = [lines.find(isProgress), lines.findLast(isProgress)];
    if (first !== undefined && last !== undefined) {
      if (had > 0) refetched.push(Math.max(0, had - (first.bytes - first.fetched)));
      had = first.bytes - first.fetched + last.fetched;
    }
    if (signal === 'SIGKILL') {
      kills += 1;
      continue;
    }
    if (code !== 0) child.fail(`ended with ${code ?? signal} after ${kills} kills`);
    return { kills, refetched, done: lines.at(-1) as unknown as KillReport['done'] };
  }
}

async function killLater(child: Child, ms: number, fromFirstBytes: boolean): Promise<void> {
  const finished = new AbortController();
  void child.exited.then(() => finished.abort());
  const stored = (line: string) => {
    const event = JSON.parse(line) as Progress;
    return isProgress(event) && event.bytes > 0 ? line : null;
  };
  if (fromFirstBytes) await child.line(stored, FINISH_WITHIN_MS);
  await setTimeout(ms, undefined, { signal: finished.signal }).catch(() => {});
  child.kill('SIGKILL');
}

function isProgress(event: Progress): boolean {
  return event.event === 'progress';
}
