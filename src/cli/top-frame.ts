/** What `top` shows, as lines; pure. Nothing in them is escaped. */

import type { ApiFile, ApiFileDetails } from '../http/api/file.js';
import type { FileList } from '../http/api/files.js';
import type { Status } from '../http/api/status.js';
import type { Swarm } from '../http/api/swarm.js';
import { PartList } from '../model/part-list.js';
import { donePercent, fileHeader, fileRow } from './file-row.js';
import { counted, formatBytes, formatClock, formatRate } from './quantity.js';
import { shortages } from './status-lines.js';

export type Slots = ReturnType<Swarm['slots']>;

/** What the daemon said for one frame. */
export interface Snapshot {
  readonly status: Status;
  readonly files: FileList;
  readonly slots: Slots;
  /** Of the selected file; null where none is. */
  readonly details: ApiFileDetails | null;
}

export type LineStyle = 'title' | 'dim' | 'selected' | 'warning';

export interface StyledLine {
  readonly text: string;
  readonly style?: LineStyle;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

const MOST_WARNINGS = 3;
/** Title and totals, and the empty lines and headings between the sections. */
const FIXED_ROWS = 9;
const MOST_SLOT_ROWS = 10;
const MOST_OWNER_ROWS = 10;
const FEWEST_FILE_ROWS = 3;

/**
 * A frame of at most `rows` lines; what finds no room is left out from the ends of the lists. `selected`: MD5 of the file
 * that is marked; null: the one that is shown in detail.
 */
export function topFrame(
  snapshot: Snapshot,
  { columns, rows }: Size,
  selected: string | null = null,
): StyledLine[] {
  const { status, files, slots, details } = snapshot;
  const warnings = shortages(status).slice(0, MOST_WARNINGS);
  const room = Math.max(FEWEST_FILE_ROWS, rows - FIXED_ROWS - warnings.length);
  const slotRows = Math.min(slots.peers.length, MOST_SLOT_ROWS, Math.floor(room / 3));
  const ownerRows = Math.min(details?.owners.length ?? 0, MOST_OWNER_ROWS, Math.floor(room / 4));
  const fileRows = Math.max(FEWEST_FILE_ROWS, room - slotRows - ownerRows - (details === null ? 0 : 2));
  const lines: StyledLine[] = [
    ...headLines(status),
    ...warnings.map((text) => ({ text, style: 'warning' as const })),
    { text: '' },
    ...fileLines(files, selected ?? details?.md5 ?? null, { columns, rows: fileRows }),
    ...(details === null ? [] : detailLines(details, { columns, rows: ownerRows })),
    { text: '' },
    ...slotLines(slots, slotRows),
  ];
  return lines.slice(0, rows);
}

function headLines({ version, node, uptimeSeconds, totals, slots, ready }: Status): StyledLine[] {
  const state = ready ? 'ready' : 'not ready';
  return [
    {
      text: `bugtorrent ${version}  ${node.listen}  up ${formatClock(uptimeSeconds)}  ${state}`,
      style: 'title',
    },
    {
      text: `down ${formatRate(totals.downloadRate)}  up ${formatRate(totals.uploadRate)}  ${counted(totals.files, 'file')}, ${formatBytes(totals.bytesShared)}  ${counted(totals.downloads, 'download')}  ${counted(totals.peers, 'peer')}  ${slots.inUse}/${slots.total} slots`,
    },
  ];
}

/** Scrolled as far as the selected file needs. */
function fileLines({ files, total }: FileList, selected: string | null, { columns, rows }: Size) {
  const at = files.findIndex(({ md5 }) => md5 === selected);
  const first = Math.max(0, Math.min(at - rows + 1, files.length - rows));
  const shown = files.slice(first, first + rows);
  const lines: StyledLine[] = [{ text: fileHeader(columns), style: 'dim' }];
  for (const file of shown) {
    const text = fileRow(file, columns);
    lines.push(file.md5 === selected ? { text, style: 'selected' } : { text });
  }
  const rest = total - shown.length;
  lines.push({ text: total === 0 ? 'no files yet' : rest > 0 ? `and ${rest} more` : '', style: 'dim' });
  return lines;
}

function detailLines(details: ApiFileDetails, { columns, rows }: Size): StyledLine[] {
  const { parts, partCount, owners, name } = details;
  const heading = `${parts} of ${counted(partCount, 'part')}, ${donePercent(details)}, ${counted(owners.length, 'owner')}: ${name}`;
  return [
    { text: heading, style: 'title' },
    { text: partBar(details, columns) },
    ...owners.slice(0, rows).map((owner) => {
      const has = owner.complete ? 'complete' : counted(owner.parts, 'part');
      const rate = owner.rate === 0 ? '-' : formatRate(owner.rate);
      const banned = owner.banned ? '  banned: it sent wrong bytes' : '';
      return { text: `  ${owner.address.padEnd(24)}  ${rate.padStart(10)}  ${has}${banned}` };
    }),
  ];
}

function slotLines({ total, inUse, queued, peers }: Slots, rows: number): StyledLine[] {
  const heading = `SLOTS  ${inUse} of ${total} in use, ${counted(queued, 'request')} waiting`;
  const shown = peers.slice(0, rows);
  const widest = Math.max(0, ...shown.map(({ peer }) => peer.length));
  return [
    { text: heading, style: 'title' },
    ...shown.map((peer) => {
      const facts = [
        peer.peer.padEnd(widest),
        `up ${formatRate(peer.uploadRate)}`.padEnd(13),
        `down ${formatRate(peer.downloadRate)}`.padEnd(15),
        slotWords(peer),
      ];
      return { text: `  ${facts.join('  ')}`, ...(peer.state === 'waiting' ? DIM : {}) };
    }),
  ];
}

function slotWords({ state, reason, queued, uploadRate, waitedMs }: Slots['peers'][number]): string {
  if (state === 'waiting') return `waits ${formatClock(waitedMs / 1000)} for ${counted(queued, 'part')}`;
  // Without a request at this moment is also whoever takes a part slowly.
  if (state === 'idle' && uploadRate === 0) return 'asks for nothing';
  return `slot: ${reason === 'idle' ? 'lent' : reason}`;
}

const DIM = { style: 'dim' } as const;

/** The parts in the order of the file, each column as many as fit: `#` all are here, `+` some, `.` none. */
export function partBar(
  { partMap, partCount }: Pick<ApiFileDetails, 'partMap' | 'partCount'>,
  columns: number,
) {
  const inside = Math.min(partCount, columns - 2);
  if (inside <= 0) return '';
  const map = PartList.fromBytes(Buffer.from(partMap, 'base64'), partCount);
  let bar = '';
  for (let column = 0; column < inside; column++) {
    const from = Math.floor((column * partCount) / inside);
    const to = Math.floor(((column + 1) * partCount) / inside);
    let here = 0;
    for (let part = from; part < to; part++) if (map.has(part)) here += 1;
    bar += here === to - from ? '#' : here > 0 ? '+' : '.';
  }
  return `[${bar}]`;
}

/** The file `steps` below the selected one in the list; the first or last where it ends, the first when it is gone. */
export function moveSelection(
  files: readonly Pick<ApiFile, 'md5'>[],
  selected: string | null,
  steps: number,
): string | null {
  const at = files.findIndex(({ md5 }) => md5 === selected);
  const to = at === -1 ? 0 : Math.max(0, Math.min(files.length - 1, at + steps));
  return files[to]?.md5 ?? null;
}
