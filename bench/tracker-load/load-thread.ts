/** A thread that asks by plan: `workerData` is the plan; it says when it asks, is told to begin to count and to end, and answers with what it saw. */
import { parentPort, workerData } from 'node:worker_threads';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { warmSockets } from '../../src/net/warm-sockets.js';
import { Load, type LoadPlan } from './load.js';
import { Tally } from './tally.js';

export interface ThreadData {
  readonly plan: LoadPlan;
  /** One number: the answers so far. */
  readonly answers: Float64Array;
}

export type ThreadOrder = 'begin' | 'end';

export interface ThreadResult {
  /** Of microseconds, as `encodeIntoCompressedBase64` gives it. */
  readonly latency: string;
  readonly answersByKind: Float64Array;
  readonly bytesByKind: Float64Array;
  readonly failures: ReadonlyMap<string, number>;
  /** Share of the time since 'begin' that the thread was busy, from 0 to 1. */
  readonly busy: number;
}

const { plan, answers } = workerData as ThreadData;
const tally = new Tally(answers);
const load = new Load(plan, tally);
let idleSince = performance.eventLoopUtilization();

parentPort!.on('message', (order: ThreadOrder) => {
  if (order === 'begin') {
    idleSince = performance.eventLoopUtilization();
    tally.begin();
    return;
  }
  const busy = performance.eventLoopUtilization(idleSince).utilization;
  load.stop();
  const { latency, answersByKind, bytesByKind, failures } = tally;
  const result: ThreadResult = {
    latency: encodeIntoCompressedBase64(latency),
    answersByKind,
    bytesByKind,
    failures,
    busy,
  };
  parentPort!.postMessage(result);
  parentPort!.close();
});
warmSockets();
load.start();
parentPort!.postMessage('asking');
