/**
 * The contract between the main thread and the workers: what each task is given and what it returns. A structured
 * clone strips an Error of its class and code, so a worker returns its failures as values.
 */
import type { FileIdentity } from '../model/file-identity.js';

/** What every worker of a pool is started with. */
export interface PoolMemory {
  readonly memory: WebAssembly.Memory;
  /** Null in a pool that verifies nothing. */
  readonly kernel: {
    /** The compiled hash kernel; machine code is shared between threads. */
    readonly module: WebAssembly.Module;
    /** Offset of a counter of the threads that use it, in a cache line of its own, and of their scratch behind it. */
    readonly scratch: number;
  } | null;
}

export interface JobFailure {
  readonly ok: false;
  /** 'CHANGED': the file is not the one that was shared. Otherwise the system's error code (ENOSPC, EIO, …). */
  readonly code: string;
  readonly detail: string;
}

/**
 * A part as it lies in the slab, taken from the wire in place: `first` bytes of data at `offset`, then chunks, each a
 * 5-digit Lenchunk followed by its data (PROTOCOL.md §4), `length` bytes of data in all.
 */
export interface FrameSpan {
  readonly offset: number;
  readonly first: number;
  readonly length: number;
}

/** Where a part's bytes are read from: a shared file that must still be the one hashed, or a download's own data. */
export type PartOrigin =
  | { readonly kind: 'file'; readonly path: string; readonly identity: FileIdentity }
  | { readonly kind: 'descriptor'; readonly fd: number };

/** Reads one part and lays it out as a whole AREP frame at `offset` of the slab. */
export interface ReadFrameJob {
  readonly origin: PartOrigin;
  readonly position: number;
  readonly length: number;
  readonly offset: number;
  readonly chunkSize: number;
}

/** Some reads, each with a result of its own. */
export interface ReadFramesJob {
  readonly frames: readonly ReadFrameJob[];
}

export interface ReadFramesResult {
  readonly ok: true;
  readonly reads: readonly ({ readonly ok: true } | JobFailure)[];
}

export interface StorePart {
  /** Byte position in the data file. */
  readonly position: number;
  /** Byte position of the part's mark in the journal. */
  readonly mark: number;
  readonly frame: FrameSpan;
}

/** Writes landed parts, each followed by its mark in the journal. */
export interface StorePartsJob {
  readonly dataFd: number;
  readonly journalFd: number;
  readonly parts: readonly StorePart[];
}

/** A part to be verified by midstates, from each of its possible start states. */
export interface VerifyPart {
  /** Just landed, to be written to the data file as well; or on disk, to be read into the slab at `offset`. */
  readonly source:
    | { readonly kind: 'frame'; readonly frame: FrameSpan }
    | { readonly kind: 'disk'; readonly offset: number; readonly length: number };
  readonly position: number;
  readonly mark: number;
  /** 16 B each. */
  readonly starts: Uint8Array;
  /** Given for the last part, which ends the file. */
  readonly ending: VerifyEnding | null;
}

export interface VerifyEnding {
  readonly fileSize: number;
  readonly md5: Uint8Array;
  /** Texts that may stand behind the bytes in a salted id (PROTOCOL.md §6). */
  readonly suffixes: readonly string[];
}

export interface VerifyPartsJob {
  readonly dataFd: number;
  /** Null: nothing is marked (the file is somebody else's). */
  readonly journalFd: number | null;
  readonly parts: readonly VerifyPart[];
}

export interface PartOutcome {
  /** The state after the part, 16 B for each start; for the last part the MD5 of the file. */
  readonly ends: Uint8Array;
  /** For the last part: which starts give the salted id with one of the suffixes. */
  readonly salted: readonly boolean[];
}

export interface VerifyPartsResult {
  readonly ok: true;
  readonly outcomes: readonly PartOutcome[];
}

/** Bytes to hash: a landed frame, or a range of the data file when its slot was given up. */
export type HashInput =
  | { readonly kind: 'frame'; readonly frame: FrameSpan }
  | { readonly kind: 'range'; readonly fd: number; readonly position: number; readonly length: number };

/** Goes on with the sequential MD5 `hash`; the state lives in the worker, so the task's pool has one thread. */
export interface HashPartsJob {
  readonly hash: number;
  readonly inputs: readonly HashInput[];
}

/** Ends the sequential MD5 `hash`: of the bytes alone, and with each suffix appended (salted ids, PROTOCOL.md §6). */
export interface FinishHashJob {
  readonly hash: number;
  readonly suffixes: readonly string[];
}

export interface FinishHashResult {
  readonly ok: true;
  readonly md5: string;
  readonly salted: readonly string[];
}

/** Takes the digests of landed parts and of what the data file holds in their place. */
export interface ComparePartsJob {
  readonly fd: number;
  readonly parts: readonly { readonly position: number; readonly frame: FrameSpan }[];
}

export interface ComparePartsResult {
  readonly ok: true;
  /** MD5 of each part as it landed and as it is stored, 16 characters of a byte each; '' when it is not there. */
  readonly digests: readonly { readonly landed: string; readonly stored: string }[];
}

/** Continues the MD5 of a shared file from a saved state over the bytes [from, to). */
export interface HashSliceJob {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly from: number;
  readonly to: number;
  readonly partSize: number;
  /** State returned by the slice before; null at the start of the file. */
  readonly saved: Uint8Array | null;
  readonly last: boolean;
}

export interface HashSliceResult {
  readonly ok: true;
  readonly saved: Uint8Array;
  /** MD5 chaining values (16 B each) at the part borders in (from, to], the end of the file excluded; empty unless partSize is a multiple of 64. */
  readonly midstates: Uint8Array;
  /** Hex digest, on the last slice. */
  readonly md5: string | null;
}

/** Every task by the name of the worker's export. */
export interface Tasks {
  readFrames: { job: ReadFramesJob; result: ReadFramesResult };
  storeParts: { job: StorePartsJob; result: { readonly ok: true } };
  verifyParts: { job: VerifyPartsJob; result: VerifyPartsResult };
  hashParts: { job: HashPartsJob; result: { readonly ok: true } };
  finishHash: { job: FinishHashJob; result: FinishHashResult };
  compareParts: { job: ComparePartsJob; result: ComparePartsResult };
  hashSlice: { job: HashSliceJob; result: HashSliceResult };
}

/** Work of one kind: calls, bytes, milliseconds of one thread. */
export interface Work {
  readonly calls: number;
  readonly bytes: number;
  readonly ms: number;
}

/** What a task cost the thread that ran it. */
export interface TaskCost {
  /** Node's id of the thread. */
  readonly thread: number;
  readonly ms: number;
  readonly read: Work;
  readonly write: Work;
  readonly hash: Work;
}

/** What comes back from a worker. */
export interface Metered<R> {
  readonly result: R;
  readonly cost: TaskCost;
}

export type TaskName = keyof Tasks;
export type TaskResult<T extends TaskName> = Tasks[T]['result'] | JobFailure;
