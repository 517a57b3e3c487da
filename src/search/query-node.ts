/**
 * A node that takes part in the flooding (PROTOCOL.md §5): answers queries from what is indexed here, and passes them on.
 *
 * Invariant: each QUER and NEAR adds one to `received`, and is a duplicate, or dropped for one reason before anything was
 * done with it, or handled; a Pktid is handled once. Nothing is sent to an address that a query names unless
 * `answerTarget` and `AnswerTargets` agree.
 */
import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { canonicalIp, formatHostPort, type NodeAddress, networkOf } from '../model/address.js';
import type { FileQuery } from '../model/file-query.js';
import type { FileMd5 } from '../model/ids.js';
import { type AnswerTargets, answerDelay, answerTarget } from '../policy/answer-target.js';
import type { PacketTable } from '../policy/packet-table.js';
import { QueryAllowance } from '../policy/query-allowance.js';
import {
  DEFAULT_MAXIMUM_TTL,
  type Forward,
  type NeighbourFilters,
  QueryRouter,
} from '../policy/query-router.js';
import { encodeRequest } from '../protocol/encode.js';
import type { Request } from '../protocol/messages.js';
import { AnswerOutlet } from './answer-outlet.js';
import type { Neighbours } from './neighbours.js';
import { SearchCounts, type SearchDrop } from './search-counts.js';

/** AQUEs to one query (PROTOCOL.md §5). */
const ANSWERS_A_QUERY = 10;
/** Queries that may wait for a store elsewhere. */
const MOST_MATCHING = 1_024;

const MOST_SENDERS = 16_384;
/** Queries a second that each neighbour may relay, and that each network may ask for itself. */
const RELAYED = { rate: 1_000, burst: 2_000, senders: MOST_SENDERS };
const ASKED = { rate: 50, burst: 100, senders: MOST_SENDERS };

export interface Match {
  readonly md5: FileMd5;
  readonly name: string;
}

export interface QueryNodeInit {
  /** The files here that match, at most `limit`. Rejects with OperationalErrors only. */
  readonly match: (query: FileQuery, limit: number) => readonly Match[] | Promise<readonly Match[]>;
  /** The tracker that an answer names, for an asker that `localIp` is our end towards. */
  readonly self: (localIp: string) => NodeAddress;
  readonly neighbours: Neighbours;
  readonly packets: PacketTable;
  readonly filters: NeighbourFilters;
  readonly targets: AnswerTargets;
  readonly localAddress: string | undefined;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

/** Who sent a message, as far as the flooding cares. */
export interface Sender {
  /** The source address of the connection, in canonical form. */
  readonly ip: string;
  /** Where it arrived, in canonical form. */
  readonly localIp: string;
}

type Flooded = Extract<Request, { command: 'QUER' | 'NEAR' }>;
export type SearchMessage = Extract<Request, { command: 'QUER' | 'AQUE' | 'NEAR' | 'ANEA' }>;

/** A message that may be handled. */
interface Admitted {
  readonly target: { readonly host: string; readonly port: number };
  /** The asker did not send it itself. */
  readonly relayed: boolean;
  /** The neighbour it came from, when that is certain. */
  readonly from: string | null;
}

export class QueryNode {
  readonly #init: QueryNodeInit;
  readonly #counts = new SearchCounts();
  readonly #router: QueryRouter;
  readonly #outlet: AnswerOutlet;
  readonly #relays = new QueryAllowance(RELAYED);
  readonly #askers = new QueryAllowance(ASKED);
  #matching = 0;

  constructor(init: QueryNodeInit) {
    const { packets, filters, targets, localAddress, clock } = init;
    this.#init = init;
    this.#router = new QueryRouter({ packets, filters });
    this.#outlet = new AnswerOutlet({ targets, counts: this.#counts, localAddress, clock });
  }

  /** None of these messages has an answer on its connection; null: refused, so that the sender learns it is no neighbour. */
  handle(message: SearchMessage, sender: Sender): 'no-answer' | null {
    switch (message.command) {
      case 'QUER':
      case 'NEAR':
        return this.#flooded(message, sender);
      case 'ANEA':
        if (!this.#init.neighbours.answered(message.packet, message.address, sender.ip))
          this.#counts.drop('unasked');
        return 'no-answer';
      case 'AQUE':
        this.#counts.drop('unasked');
        return 'no-answer';
    }
  }

  /** Sends nothing more. The neighbours are stopped by whoever started them. */
  stop(): void {
    this.#outlet.stop();
  }

  /** Plain numbers since the start, and what there is now. */
  stats() {
    const { received, duplicate, forwarded, filtered, spread, answers, dropped } = this.#counts;
    return {
      received,
      duplicate,
      forwarded,
      filtered,
      spread,
      answers,
      dropped: { ...dropped },
      matching: this.#matching,
      askers: this.#outlet.size,
      neighbours: this.#init.neighbours.stats(),
    };
  }

  #flooded(message: Flooded, sender: Sender): 'no-answer' | null {
    const { packets, clock } = this.#init;
    this.#counts.received++;
    if (packets.has(message.packet)) {
      this.#counts.duplicate++;
      return 'no-answer';
    }
    const now = clock.now();
    const admitted = this.#admit(message.address, sender, now);
    if (typeof admitted === 'string') {
      this.#counts.drop(admitted);
      return admitted === 'not-a-neighbour' ? null : 'no-answer';
    }
    if (message.command === 'QUER') this.#query(message, admitted, now);
    else this.#near(message, sender, admitted, now);
    return 'no-answer';
  }

  #admit(address: NodeAddress, { ip, localIp }: Sender, now: number): Admitted | SearchDrop {
    const relayed = !isFrom(address, ip);
    const senders = this.#init.neighbours.from(ip);
    if (relayed) {
      if (senders.length === 0) return 'not-a-neighbour';
      if (!this.#relays.take(ip, now)) return 'neighbour-rate';
    } else if (!this.#askers.take(networkOf(ip), now)) {
      return 'asker-rate';
    }
    const target = answerTarget(address, localIp);
    if (typeof target === 'string') return target;
    return { target, relayed, from: relayed && senders.length === 1 ? senders[0]! : null };
  }

  #query(message: Extract<Flooded, { command: 'QUER' }>, admitted: Admitted, now: number): void {
    const { packet, ttl, text } = message;
    const { from, target } = admitted;
    const asker = formatHostPort(target.host, target.port);
    const route = this.#router.route({ packet, ttl, text, from, asker }, this.#init.neighbours.keys, now);
    if (route.dropped !== null) {
      if (route.dropped === 'duplicate') this.#counts.duplicate++;
      else this.#counts.drop(route.dropped);
      return;
    }
    this.#counts.filtered += route.filtered;
    this.#forward(message, route.forwards);
    this.#match(message, route.query, route.ttl, admitted);
  }

  /** All copies are the same bytes: only the last hop is sent to fewer, never with another TTL. */
  #forward(message: Flooded, forwards: readonly Forward[]): void {
    const [first] = forwards;
    if (first === undefined) return;
    const { neighbours } = this.#init;
    const bytes = encodeRequest({ ...message, ttl: first.ttl });
    this.#counts.spread++;
    for (const { neighbour } of forwards) {
      if (neighbours.link(neighbour)?.send(bytes)) this.#counts.forwarded++;
      else this.#counts.drop('neighbour-full');
    }
  }

  #match(message: Flooded, query: FileQuery, ttl: number, admitted: Admitted): void {
    if (this.#matching >= MOST_MATCHING) {
      this.#counts.drop('store-busy');
      return;
    }
    const matches = this.#init.match(query, ANSWERS_A_QUERY);
    if (!(matches instanceof Promise)) {
      this.#answer(message, matches, ttl, admitted);
      return;
    }
    this.#matching++;
    matches
      .then(
        (found) => this.#answer(message, found, ttl, admitted),
        (error: unknown) => {
          if (!(error instanceof OperationalError)) throw error;
          this.#counts.drop('store-away');
        },
      )
      .finally(() => {
        this.#matching--;
      });
  }

  #answer({ packet }: Flooded, found: readonly Match[], ttl: number, { target, relayed }: Admitted): void {
    if (found.length === 0) return;
    const { self, random } = this.#init;
    const messages = found.slice(0, ANSWERS_A_QUERY).map(
      ({ md5, name }) =>
        (localIp: string) =>
          encodeRequest({ command: 'AQUE', packet, address: self(localIp), md5, name }),
    );
    this.#outlet.answer(target, messages, answerDelay(ttl, relayed, random));
  }

  #near(
    message: Extract<Flooded, { command: 'NEAR' }>,
    { ip }: Sender,
    admitted: Admitted,
    now: number,
  ): void {
    const { packets, neighbours, self, random } = this.#init;
    const { packet, address } = message;
    const { target, relayed, from } = admitted;
    packets.seen(packet, now);
    const ttl = Math.min(message.ttl, DEFAULT_MAXIMUM_TTL);
    const asker = formatHostPort(target.host, target.port);
    const others = ttl > 1 ? neighbours.keys.filter((key) => key !== from && key !== asker) : [];
    this.#forward(
      message,
      others.map((neighbour) => ({ neighbour, ttl: ttl - 1 })),
    );
    const answer = (localIp: string) => encodeRequest({ command: 'ANEA', packet, address: self(localIp) });
    this.#outlet.answer(target, [answer], answerDelay(ttl, relayed, random));
    if (!relayed) neighbours.announced(address, ip);
  }
}

/** Whether one half of the address is `ip`, which is in canonical form. */
function isFrom({ v4, v6 }: NodeAddress, ip: string): boolean {
  return v4 === ip || (v6 !== null && canonicalIp(v6) === ip);
}
