/** What the daemon sent and received lately, sampled by a timer. */
import type { Clock, Timer } from '../../core/clock.js';
import type { Throughput } from '../../http/api/status.js';
import { RateMeter } from '../../policy/rate-meter.js';

const STEP_MS = 2_000;
const POINTS = 300;

interface Counts {
  readonly uploaded: number;
  readonly downloaded: number;
}

export class ThroughputLog {
  readonly #clock: Clock;
  readonly #counts: () => Counts;
  readonly #upload = new RateMeter();
  readonly #download = new RateMeter();
  /** Oldest first. */
  readonly #points: Throughput['points'] = [];
  #last: Counts;
  #timer: Timer;

  /** @param counts bytes since the start */
  constructor(clock: Clock, counts: () => Counts) {
    this.#clock = clock;
    this.#counts = counts;
    this.#last = counts();
    this.#timer = clock.after(STEP_MS, () => this.#sample());
  }

  /** Bytes a second over the last seconds. */
  get rates() {
    const { uploaded, downloaded } = this.#counts();
    const now = this.#clock.now();
    return { upload: this.#upload.rate(uploaded, now), download: this.#download.rate(downloaded, now) };
  }

  history(): Throughput {
    return { stepSeconds: STEP_MS / 1000, points: this.#points.slice() };
  }

  stop(): void {
    this.#timer.cancel();
  }

  #sample(): void {
    const counts = this.#counts();
    const perSecond = (now: number, before: number) =>
      Math.round((Math.max(0, now - before) / STEP_MS) * 1000);
    const { uploaded, downloaded } = this.#last;
    this.#points.push([
      Date.now(),
      perSecond(counts.uploaded, uploaded),
      perSecond(counts.downloaded, downloaded),
    ]);
    if (this.#points.length > POINTS) this.#points.shift();
    this.#last = counts;
    // Rates are as good as they are asked for often.
    void this.rates;
    this.#timer = this.#clock.after(STEP_MS, () => this.#sample());
  }
}
