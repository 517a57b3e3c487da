import { build, type Histogram } from 'hdr-histogram-js';
import { KINDS, type Kind } from './request-source.js';

const MINUTE_US = 60_000_000;

export function latencyHistogram(): Histogram {
  return build({ highestTrackableValue: MINUTE_US, numberOfSignificantValueDigits: 3, bitBucketSize: 32 });
}

/** What one thread of a load has seen. `answers[0]` is shared with the thread that started it. */
export class Tally {
  readonly answers: Float64Array;
  /** Microseconds from when a request was due to the last byte of its answer. */
  readonly latency = latencyHistogram();
  readonly answersByKind = new Float64Array(KINDS.length);
  readonly bytesByKind = new Float64Array(KINDS.length);
  /** Why connections ended before their answers; one text for each reason, with how often. */
  readonly failures = new Map<string, number>();

  constructor(answers: Float64Array) {
    this.answers = answers;
  }

  answered(kind: Kind, bytes: number, microseconds: number): void {
    this.answers[0]! += 1;
    this.answersByKind[kind]! += 1;
    this.bytesByKind[kind]! += bytes;
    this.latency.recordValue(Math.min(MINUTE_US, Math.max(1, Math.round(microseconds))));
  }

  failed(reason: string): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }

  /** What was before does not count; `answers` goes on. */
  begin(): void {
    this.latency.reset();
    this.answersByKind.fill(0);
    this.bytesByKind.fill(0);
    this.failures.clear();
  }
}
