/** One file on its way to this machine, over a node that runs. */
import { availableParallelism } from 'node:os';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { PartGeometry } from '../model/geometry.js';
import type { PartIndex } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import type { Reading } from '../policy/part-picker.js';
import { PartFile } from '../storage/part-file.js';
import { Download, type DownloadSnapshot, type OwnerStatus, type Proof } from '../swarm/download.js';
import type { SwarmCounts } from '../swarm/swarm-counts.js';
import type { ServedFile } from '../swarm/upload.js';
import type { Engine } from './engine.js';
import type { ArrivingFile } from './file-reading.js';
import { PartArrivals } from './part-arrivals.js';
import type { PeerNode } from './peer-node.js';

/** The main thread uses a third of a processor: one thread a processor leaves none idle. */
export const IO_THREADS = availableParallelism();

export interface FileDownloadInit {
  readonly manifest: Manifest;
  /** Where the finished file will be. */
  readonly target: string;
  /** Whether a file there may be replaced. */
  readonly force: boolean;
  /** Mostly in the order of the file. */
  readonly sequential: boolean;
  /** False only in a benchmark of the network path. */
  readonly verify: boolean;
  /** Where what it does is counted. */
  readonly counts: SwarmCounts;
  readonly node: PeerNode;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class FileDownload implements ArrivingFile {
  readonly manifest: Manifest;
  readonly place: PartFile;
  /** What can be uploaded of it meanwhile. */
  readonly served: ServedFile;
  readonly #download: Download;
  readonly #arrivals: PartArrivals;
  readonly #node: PeerNode;

  private constructor(init: FileDownloadInit, place: PartFile) {
    const { manifest, node } = init;
    const arrivals = new PartArrivals((part) => download.has(part));
    const download = makeDownload(init, place, arrivals);
    this.manifest = manifest;
    this.place = place;
    this.#node = node;
    this.#download = download;
    this.#arrivals = arrivals;
    const fd = place.dataFd;
    this.served = {
      geometry: manifest.geometry,
      get midstates() {
        return download.midstates;
      },
      origin: (part) => (download.has(part) ? { kind: 'descriptor', fd } : null),
      changed: () => {},
    };
  }

  /** Goes on with what an earlier run stored. Throws as PartFile.open. */
  static async open(init: FileDownloadInit): Promise<FileDownload> {
    const { manifest, target, force } = init;
    return new FileDownload(init, await PartFile.open({ target, manifest, force }));
  }

  /** Fetches and proves the file; it stays under its unfinished name. Throws as Download.run. */
  async run(signal: AbortSignal): Promise<Proof> {
    const ended = this.#node.downloading();
    try {
      const proof = await this.#download.run(signal);
      this.#arrivals.complete();
      return proof;
    } catch (error) {
      this.#arrivals.end(error as Error);
      throw error;
    } finally {
      ended();
    }
  }

  /** Parts on disk; a view. */
  get stored() {
    return this.place.stored;
  }

  get geometry(): PartGeometry {
    return this.manifest.geometry;
  }

  get dataPath(): string {
    return this.place.dataPath;
  }

  follow(part: PartIndex): Reading {
    return this.#download.follow(part);
  }

  arrival(part: PartIndex, signal: AbortSignal): Promise<void> {
    return this.#arrivals.wait(part, signal);
  }

  /** Whom the parts are asked of, at most so many. */
  owners(limit: number): readonly OwnerStatus[] {
    return this.#download.owners(limit);
  }

  /** How many of them each part has, at most 255. */
  availability(): Uint8Array {
    return this.#download.availability();
  }

  snapshot(): DownloadSnapshot {
    return this.#download.snapshot();
  }

  stats() {
    return this.#download.stats();
  }
}

function makeDownload(
  { manifest, node, engine, ...init }: FileDownloadInit,
  place: PartFile,
  arrivals: PartArrivals,
): Download {
  const { md5, geometry, name } = manifest;
  const { trackers } = node;
  return new Download({
    ...init,
    manifest,
    store: place,
    stored: place.stored,
    memory: engine.memory,
    tasks: {
      storeParts: (job) => engine.pool.run('storeParts', job),
      compareParts: (job) => engine.pool.run('compareParts', job),
      hashParts: (job) => engine.hashThread().run('hashParts', job),
      finishHash: (job) => engine.hashThread().run('finishHash', job),
      verifyParts: (job) => engine.pool.run('verifyParts', job),
    },
    // One processor is left to the sequential hash.
    writers: Math.max(1, IO_THREADS - 1),
    verifiers: IO_THREADS,
    connect: (address, onRoom) => node.connect(address, onRoom),
    findOwners: async () => {
      const owners = await trackers.findOwners(md5, geometry, name);
      node.named(md5, owners);
      return owners;
    },
    gave: (address, bytes) => node.upload?.gave(address, bytes),
    own: (part) => {
      trackers.own(md5, part);
      arrivals.arrived(part);
    },
    limit: node.downloadPace(md5),
    random: Math.random,
  });
}
