import { readFileSync } from 'node:fs';

/** Ticks a second in /proc/PID/stat: 100 for every Linux program, whatever the kernel's own clock. */
const USER_HZ = 100;
const SAMPLE_MS = 20;

/** CPU seconds (user and system) a running process has used; null where there is no /proc. */
export function cpuSeconds(pid: number): number | null {
  return ticks(pid, 13);
}

/**
 * CPU seconds of all children of this process that have exited. The difference over the exit of one child
 * is what that child cost, as long as no other ends meanwhile; null where there is no /proc.
 */
export function exitedChildrenCpuSeconds(): number | null {
  return ticks('self', 15);
}

/** Highest resident memory of a process so far, in bytes; null once it is gone or without /proc. */
export function peakBytes(pid: number): number | null {
  return statusBytes(pid, 'VmHWM');
}

/** Resident memory of a process now, in bytes; null once it is gone or without /proc. */
export function residentBytes(pid: number): number | null {
  return statusBytes(pid, 'VmRSS');
}

function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS'): number | null {
  const match = proc(pid, 'status')?.match(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm'));
  return match ? Number(match[1]) * 1024 : null;
}

/** Follows the high-water mark of a process that will exit by itself; `stop()` gives the last one seen. */
export function followPeak(pid: number): { stop(): number | null } {
  let peak = peakBytes(pid);
  const timer = setInterval(() => {
    peak = peakBytes(pid) ?? peak;
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

/** Sum of two neighbouring tick fields, counted from 0 with the process id as field 0. */
function ticks(pid: number | 'self', field: number): number | null {
  const stat = proc(pid, 'stat');
  if (stat === null) return null;
  // The second field is the program's name in brackets and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[field - 2]) + Number(fields[field - 1])) / USER_HZ;
}

function proc(pid: number | 'self', file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
