import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { canonicalIp, type HostPort, type NodeAddress, specificAddress } from '../model/address.js';
import { AnswerTargets } from '../policy/answer-target.js';
import { NeighbourFilterTable } from '../policy/neighbour-filter-table.js';
import { PacketTable } from '../policy/packet-table.js';
import type { Request } from '../protocol/messages.js';
import { NeighbourFile } from '../search/neighbour-file.js';
import { Neighbours } from '../search/neighbours.js';
import { OwnFilter } from '../search/own-filter.js';
import { QueryNode, type Sender } from '../search/query-node.js';
import type { MaybePromise } from '../tracker/maybe-promise.js';
import type { TrackerStore } from '../tracker/store.js';

export interface FloodingOptions {
  /** Those that the user named. */
  readonly neighbours: readonly HostPort[];
  /** The folder in which neighbours are kept from run to run; null: nowhere. */
  readonly stateDir: string | null;
  /** The address that answers name; null: our end of each connection. */
  readonly announce: Pick<NodeAddress, 'v4' | 'v6'> | null;
}

export interface FloodingInit extends FloodingOptions {
  readonly listen: HostPort;
  /** What a query finds here. */
  readonly match: TrackerStore['matchFiles'];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A tracker's part in the flooding (PROTOCOL.md §5): the query node with all that it stands on. */
export class Flooding {
  readonly #init: FloodingInit;
  readonly #targets = new AnswerTargets();
  readonly #neighbours: Neighbours;
  readonly #node: QueryNode;
  readonly #filter: OwnFilter;
  #port = 0;

  constructor(init: FloodingInit) {
    const { listen, neighbours: named, stateDir, announce, match, clock, logger } = init;
    this.#init = init;
    const localAddress = specificAddress(listen.host);
    const packets = new PacketTable();
    const self = (localIp: string): NodeAddress => {
      if (announce !== null) return { ...announce, port: this.#port };
      const ip = canonicalIp(localIp);
      return ip.includes(':')
        ? { v4: null, v6: ip, port: this.#port }
        : { v4: ip, v6: null, port: this.#port };
    };
    const file =
      stateDir === null || listen.port === 0 ? null : new NeighbourFile(join(stateDir, fileName(listen)));
    const filters = new NeighbourFilterTable();
    const shared = { packets, filters, self, localAddress, clock, random: Math.random };
    this.#filter = new OwnFilter(match, clock, Math.random);
    this.#neighbours = new Neighbours({ ...shared, named, file, randomBytes, logger });
    this.#node = new QueryNode({
      ...shared,
      neighbours: this.#neighbours,
      targets: this.#targets,
      match,
    });
  }

  /** @param port where this node listens */
  start(port: number): void {
    this.#port = port;
    void this.#neighbours.start();
  }

  /** Undefined: the request is not one of the flooding. For every request, since each proves its sender's address. */
  handle(request: Request, sender: Sender): MaybePromise<Uint8Array | 'no-answer' | null> | undefined {
    const now = this.#init.clock.now();
    this.#targets.heard(sender.ip, now);
    switch (request.command) {
      case 'QUER':
      case 'NEAR':
      case 'AQUE':
      case 'ANEA':
        return this.#node.handle(request, sender);
      case 'QFIL':
        return this.#filter.answer(request.version);
      case 'LOGI':
        this.#targets.loggedIn(sender.ip, now);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Leaves no socket and no timer. Idempotent. */
  async stop(): Promise<void> {
    this.#node.stop();
    await this.#neighbours.stop();
  }

  stats() {
    return this.#node.stats();
  }
}

/** Each of several trackers on one machine has its own; one without a port of its own has none. */
function fileName({ host, port }: HostPort): string {
  return `neighbours-${host.replaceAll(':', '-')}-${port}.txt`;
}
