import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { canonicalIp, type HostPort, type NodeAddress, specificAddress } from '../model/address.js';
import { randomPacketId } from '../model/ids.js';
import { AnswerTargets } from '../policy/answer-target.js';
import { NeighbourFilterTable } from '../policy/neighbour-filter-table.js';
import { PacketTable } from '../policy/packet-table.js';
import type { Request } from '../protocol/messages.js';
import { NeighbourFile } from '../search/neighbour-file.js';
import { FLOODS } from '../search/neighbour-link.js';
import { GIVES_FILTER, type NeighbourState, Neighbours } from '../search/neighbours.js';
import { OwnFilter } from '../search/own-filter.js';
import { QueryNode, type QueryNodeInit, type Sender } from '../search/query-node.js';
import type { Reception, TakeAnswer } from '../search/reception.js';
import type { MaybePromise } from '../tracker/maybe-promise.js';

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
  /** It answers who asks it, and neither has neighbours nor passes anything on. */
  readonly isLeaf: boolean;
  /** What a query finds here. */
  readonly match: QueryNodeInit['match'];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A node's part in the flooding (PROTOCOL.md §5): the query node with all that it stands on, and its own searches. */
export class Flooding {
  readonly #init: FloodingInit;
  readonly #packets = new PacketTable();
  readonly #targets = new AnswerTargets();
  readonly #neighbours: Neighbours;
  readonly #node: QueryNode;
  readonly #filter: OwnFilter;
  readonly #searches = new Set<TakeAnswer>();
  #port = 0;

  constructor(init: FloodingInit) {
    const { listen, neighbours: named, stateDir, announce, match, clock, logger } = init;
    this.#init = init;
    const localAddress = specificAddress(listen.host);
    const self = (localIp: string): NodeAddress => {
      if (announce !== null) return { v4: announce.v4, v6: announce.v6, port: this.#port };
      const ip = canonicalIp(localIp);
      return ip.includes(':')
        ? { v4: null, v6: ip, port: this.#port }
        : { v4: ip, v6: null, port: this.#port };
    };
    const file =
      stateDir === null || listen.port === 0 ? null : new NeighbourFile(join(stateDir, fileName(listen)));
    const filters = new NeighbourFilterTable();
    const shared = { packets: this.#packets, filters, self, localAddress, clock, random: Math.random };
    this.#filter = new OwnFilter((query, limit) => match(query, limit, null), clock, Math.random);
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
    if (!this.isLeaf) void this.#neighbours.start();
  }

  /** It has no neighbours, and will have none. */
  get isLeaf(): boolean {
    return this.#init.isLeaf;
  }

  /** What a node names of it (PROTOCOL.md §7.4). */
  get capabilities(): readonly string[] {
    return this.isLeaf ? [] : [FLOODS, GIVES_FILTER];
  }

  /** Undefined: the request is not one of the flooding. For every request, since each proves its sender's address. */
  handle(request: Request, sender: Sender): MaybePromise<Uint8Array | 'no-answer' | null> | undefined {
    const now = this.#init.clock.now();
    this.#targets.heard(sender.ip, now);
    switch (request.command) {
      case 'AQUE':
      case 'ANEA':
        for (const take of this.#searches) if (take(request, sender)) return 'no-answer';
        return this.#node.handle(request, sender);
      case 'NEAR':
        return this.isLeaf ? null : this.#node.handle(request, sender);
      case 'QUER':
        return this.#node.handle(request, sender);
      case 'QFIL':
        return this.isLeaf ? null : this.#filter.answer(request.version);
      case 'LOGI':
        this.#targets.loggedIn(sender.ip, now);
        return undefined;
      default:
        return undefined;
    }
  }

  /** For a search of this node's own: its answers come to where the node listens. */
  reception(): Reception {
    let taken: TakeAnswer | null = null;
    return {
      open: async (take) => {
        taken = take;
        this.#searches.add(take);
        return this.#port;
      },
      close: async () => {
        if (taken !== null) this.#searches.delete(taken);
      },
      newPacket: () => {
        const packet = randomPacketId(randomBytes);
        this.#packets.seen(packet, this.#init.clock.now());
        return packet;
      },
    };
  }

  neighbours(): readonly NeighbourState[] {
    return this.#neighbours.list();
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

/** Each of several nodes on one machine has its own; one without a port of its own has none. */
function fileName({ host, port }: HostPort): string {
  return `neighbours-${host.replaceAll(':', '-')}-${port}.txt`;
}
