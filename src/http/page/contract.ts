/** What the API answers, as far as the page shows it (`/api/v1/openapi.json` describes all of it). */

/** Sizes are bytes, rates bytes a second, here and below. */
export interface Status {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly node: { readonly listen: string };
  readonly totals: {
    readonly files: number;
    readonly downloads: number;
    readonly bytesShared: number;
    readonly uploadRate: number;
    readonly downloadRate: number;
    readonly uploadedBytes: number;
    readonly downloadedBytes: number;
    readonly peers: number;
  };
  readonly slots: { readonly inUse: number; readonly total: number; readonly queued: number };
  readonly limits: { readonly upload: number | null; readonly download: number | null };
  readonly hashing: { readonly files: number; readonly bytesLeft: number };
  readonly diskFree: Readonly<Record<string, number>>;
  readonly missing: readonly { readonly what: string; readonly detail: string }[];
}

export type FileState = 'shared' | 'queued' | 'searching' | 'downloading' | 'waiting' | 'paused' | 'failed';

export type Priority = 'high' | 'normal' | 'low';

export interface FileEntry {
  readonly md5: string;
  /** The MD5 while no tracker has given a name. */
  readonly name: string;
  /** 0 while no tracker has given one, as is the part count. */
  readonly size: number;
  readonly partCount: number;
  readonly state: FileState;
  readonly magnet: string;
  readonly path: string | null;
  /** Bytes of it that are stored. */
  readonly stored: number;
  /** Parts of it that are stored. */
  readonly parts: number;
  readonly rate: number;
  readonly peers: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly priority: Priority | null;
  readonly uploadedBytes: number;
}

interface Owner {
  readonly address: string;
  /** How many it has. */
  readonly parts: number;
  readonly complete: boolean;
  readonly banned: boolean;
  readonly rate: number;
}

export interface FileDetail extends FileEntry {
  /** The PartList's bytes in base64: part 0 is the top bit of byte 0. */
  readonly partMap: string;
  readonly owners: readonly Owner[];
  readonly limits: { readonly upload: number | null; readonly download: number | null };
}

export interface FilePage {
  readonly total: number;
  readonly offset: number;
  readonly files: readonly FileEntry[];
}

export interface FileChanges {
  readonly changed: readonly FileEntry[];
  readonly removed: readonly string[];
}

export interface SlotPeer {
  readonly peer: string;
  readonly state: 'slot' | 'waiting' | 'idle';
  readonly reason: string | null;
  readonly queued: number;
  readonly uploadRate: number;
  readonly downloadRate: number;
  readonly waitedMs: number;
}

export interface Slots {
  readonly total: number;
  readonly inUse: number;
  readonly queued: number;
  readonly peers: readonly SlotPeer[];
}

export interface TrackerEntry {
  readonly tracker: string;
  readonly state: string;
  readonly lastError: string | null;
  readonly files: number;
}

export interface Found {
  readonly md5: string;
  readonly name: string;
  readonly size: number;
  readonly owners: number;
  readonly tracker: string;
}

export interface Settings {
  readonly uploadLimit: number | null;
  readonly downloadLimit: number | null;
  readonly slots: number;
}

/** Milliseconds since 1970; bytes a second up and down. */
type HistoryPoint = readonly [number, number, number];

export interface History {
  readonly stepSeconds: number;
  readonly points: readonly HistoryPoint[];
}
