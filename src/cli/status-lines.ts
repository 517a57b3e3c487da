import type { Status } from '../http/api/status.js';
import { counted, formatBytes, formatClock, formatRate } from './quantity.js';

/** Below it a disk is said to run full. */
const LITTLE_DISK = 2 ** 30;

/** What `status` prints, one fact a line, what is short last. */
export function statusLines(status: Status): string[] {
  const { version, uptimeSeconds, node, totals, slots, limits, diskFree } = status;
  const lines = [
    `daemon    version ${version} at ${node.listen}, up ${formatClock(uptimeSeconds)}`,
    `files     ${counted(totals.files, 'file')}, ${formatBytes(totals.bytesShared)} shared; ${counted(totals.downloads, 'download')}`,
    `upload    ${formatRate(totals.uploadRate)} (${limitText(limits.upload)}), ${formatBytes(totals.uploadedBytes)} in all`,
    `download  ${formatRate(totals.downloadRate)} (${limitText(limits.download)}), ${formatBytes(totals.downloadedBytes)} in all`,
    `peers     ${counted(totals.peers, 'peer')}; ${slots.inUse} of ${counted(slots.total, 'slot')} in use, ${counted(slots.queued, 'request')} waiting`,
    ...Object.entries(diskFree).map(([path, bytes]) => `disk      ${formatBytes(bytes)} free in ${path}`),
  ];
  const short = shortages(status);
  return [...lines, ...(short.length === 0 ? ['all is well'] : short.map((text) => `short     ${text}`))];
}

/** What is not as it should be, or not yet. */
export function shortages({ ready, missing, hashing, diskFree }: Status): string[] {
  const lacks = missing.map(({ what, detail }) => `${what}: ${detail}`);
  if (!ready && lacks.length === 0) lacks.push('not ready');
  if (hashing.files > 0)
    lacks.push(`hashing: ${counted(hashing.files, 'file')}, ${formatBytes(hashing.bytesLeft)} to go`);
  for (const [path, bytes] of Object.entries(diskFree)) {
    if (bytes < LITTLE_DISK) lacks.push(`disk: ${formatBytes(bytes)} left in ${path}`);
  }
  return lacks;
}

function limitText(limit: number | null): string {
  return limit === null ? 'no limit' : `limit ${formatRate(limit)}`;
}
