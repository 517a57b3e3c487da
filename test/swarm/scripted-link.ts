import type { NodeAddress } from '../../src/model/address.js';
import type { PartList } from '../../src/model/part-list.js';
import type { Exchange, ExchangeFailure } from '../../src/net/exchange.js';
import type { Owner } from '../../src/protocol/messages.js';
import type { PeerLink } from '../../src/swarm/peer-book.js';
import { arep, chunksOf } from '../support/base-frame.js';
import { Wire } from './wire.js';

const CHUNK = 4096;

/** A RETP, or a MIDS, that a peer was sent. */
export class ScriptedRequest {
  readonly command: string;
  /** Of a RETP. */
  readonly part: number;
  readonly exchange: Exchange;
  readonly wire: Wire;
  readonly #link: ScriptedLink;

  constructor(exchange: Exchange, link: ScriptedLink) {
    this.exchange = exchange;
    this.wire = new Wire(exchange);
    this.wire.onEnd = () => this.#link.ended(this);
    const request = Buffer.from(exchange.request).toString('latin1');
    this.command = request.slice(0, 4);
    this.part = Number(request.slice(36));
    this.#link = link;
  }

  /** A piece of the answer. */
  send(bytes: Uint8Array): void {
    this.wire.arrive(bytes);
  }

  /** The whole answer. */
  answer(data: Uint8Array): void {
    this.send(arep(data, chunksOf(CHUNK)(data.length)));
  }

  /** The connection is gone, and its place free, before the exchange learns of it. */
  fail(kind: ExchangeFailure['kind']): void {
    this.#link.forget(this);
    this.wire.fail(kind);
    this.#link.onRoom();
  }
}

/** The connections to a peer that does what a test says, in the order of events of RequestPipeline. */
export class ScriptedLink implements PeerLink {
  maxConnections = 4;
  depth = 2;
  /** Its connections are kept: each carries `depth` requests. */
  kept = false;
  closed = false;
  /** Called with each request. */
  onRequest: (request: ScriptedRequest) => void = () => {};
  onRoom: () => void = () => {};
  /** Under way, oldest first. */
  readonly requests: ScriptedRequest[] = [];
  /** The parts of all RETPs there were. */
  readonly asked: number[] = [];
  /** How often it was asked for midstates. */
  askedForList = 0;
  readonly aborted: number[] = [];

  room(): number {
    const places = this.kept ? this.maxConnections * this.depth : this.maxConnections;
    return this.closed ? 0 : Math.max(0, places - this.requests.length);
  }

  submit(exchange: Exchange): void {
    const request = new ScriptedRequest(exchange, this);
    this.requests.push(request);
    if (request.command === 'MIDS') this.askedForList++;
    else this.asked.push(request.part);
    this.onRequest(request);
  }

  abort(exchange: Exchange): void {
    const request = this.requests.find((other) => other.exchange === exchange);
    if (request === undefined) return;
    if (request.command === 'RETP') this.aborted.push(request.part);
    request.wire.fail('aborted');
    this.forget(request);
  }

  close(): void {
    this.closed = true;
    for (const request of this.requests.splice(0)) request.wire.fail('aborted');
  }

  /** The request for `part` that is under way. */
  request(part: number): ScriptedRequest {
    const request = this.requests.find((other) => other.part === part);
    if (request === undefined) throw new Error(`part ${part} is not asked for here`);
    return request;
  }

  /** For ScriptedRequest only: it ended by itself. */
  ended(request: ScriptedRequest): void {
    this.forget(request);
    this.onRoom();
  }

  /** For ScriptedRequest only: its place is free. */
  forget(request: ScriptedRequest): void {
    const at = this.requests.indexOf(request);
    if (at >= 0) this.requests.splice(at, 1);
  }
}

/** The address of the n-th peer of a test. */
export function addressOf(n: number): NodeAddress {
  return { v4: `10.0.0.${n + 1}`, v6: null, port: 5000 };
}

export function owner(n: number, parts: PartList): Owner {
  return { address: addressOf(n), parts };
}
