/** What the commands read of the answers of a daemon's API; sizes are bytes, rates bytes a second. */

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
  /** Null: none. */
  readonly limits: { readonly upload: number | null; readonly download: number | null };
  readonly hashing: { readonly files: number; readonly bytesLeft: number };
  /** Free bytes, by the paths of the folders. */
  readonly diskFree: Readonly<Record<string, number>>;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly missing: readonly { readonly what: string; readonly detail: string }[];
}

export interface ApiFile {
  readonly md5: string;
  readonly name: string;
  /** 0, as is the part count, while nobody has said. */
  readonly size: number;
  readonly partCount: number;
  readonly state: string;
  readonly magnet: string;
  readonly path: string | null;
  /** Bytes of it that are here. */
  readonly stored: number;
  /** Parts of it that are here. */
  readonly parts: number;
  readonly rate: number;
  readonly peers: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface FileDetails extends ApiFile {
  /** Base64 of the PartList, part 0 in the top bit of the first byte. */
  readonly partMap: string;
  readonly owners: readonly {
    readonly address: string;
    readonly parts: number;
    readonly complete: boolean;
    readonly banned: boolean;
    readonly rate: number;
  }[];
}

export interface FileList {
  /** Of all pages. */
  readonly total: number;
  readonly files: readonly ApiFile[];
}

export interface Slots {
  readonly total: number;
  readonly inUse: number;
  /** Requests that wait. */
  readonly queued: number;
  readonly peers: readonly {
    readonly peer: string;
    readonly state: string;
    readonly reason: string | null;
    readonly queued: number;
    readonly uploadRate: number;
    readonly downloadRate: number;
    readonly waitedMs: number;
  }[];
}
