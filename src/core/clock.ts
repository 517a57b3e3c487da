/** Time as an argument: everything above `net` takes a Clock, so that no test waits. */
export interface Clock {
  /** Milliseconds on a monotonic scale; the system's is the same for all processes, also after a restart. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds; the timer never keeps the process alive. */
  after(ms: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
