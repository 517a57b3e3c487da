import type { PartIndex } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import { Choker, REVIEW_MS } from '../../src/policy/choker.js';
import { ContenderTable } from '../../src/policy/contender-table.js';
import { PartPicker } from '../../src/policy/part-picker.js';
import { pickerArena } from '../../src/policy/picker-memory.js';
import { type Picker, UninformedPicker } from './comparison-pickers.js';
import { EdgeRows } from './edge-rows.js';
import { EventHeap } from './event-heap.js';
import { Neighbourhood } from './neighbourhood.js';
import { PartTable } from './part-table.js';
import { type Random, seededRandom } from './random.js';
import { RandomChoker, type SlotPolicy } from './random-choker.js';
import { isFreeRider, lowerBoundMs, type Scenario, uploadOf } from './scenario.js';
import { type SwarmCounts, Tally } from './tally.js';
import { Transfers } from './transfers.js';

/** PROTOCOL.md §4: how many requests may wait at an owner, and how long. */
const WAITING_AT_SOURCE = 4;
const WAIT_MS = 30_000;
/** A complete peer that nobody asked for this long leaves. */
const LINGER_MS = 10_000;
const SAMPLE_MS = 10_000;
/** A swarm that takes so many times the bound will never finish. */
const HOPELESS = 200;
const PART_BYTES = 262_144;
/** Times are small integers of V8. */
const LATEST_MS = 2 ** 30;
const NOBODY = -1;

/** What an event is about is its number times KINDS plus its kind. */
const KINDS = 8;
const ARRIVES = 0;
const POLLS = 1;
const REVIEWS = 2;
const PART_ENDS = 3;
const WITHDRAWN = 4;
const LINGERED = 5;
const SAMPLES = 6;

/**
 * A swarm on virtual time. Nodes are the peers and behind them the seeds; an edge is what a node knows of one neighbour.
 *
 * Invariant: a neighbour's choker was told that a node wants a slot exactly while `#wants` of the node's edge is 1.
 */
export class SwarmModel {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #events = new EventHeap();
  readonly #nodes: number;
  readonly #around: Neighbourhood;
  readonly #pickers: Picker[] = [];
  /** Null for who uploads nothing. */
  readonly #chokers: (SlotPolicy | null)[] = [];
  readonly #own: PartTable;
  /** Own parts and those on their way. */
  readonly #busy: PartTable;
  /** By edge: what the node knows its neighbour to own. */
  readonly #known: PartTable;
  /** By edge: when the requests that wait at the neighbour were made. */
  readonly #askedAt: Int32Array;
  /** By edge: the neighbour was told that this node wants a slot. */
  readonly #wants: Uint8Array;
  /** By edge: this node sends to the neighbour. */
  readonly #sending: Uint8Array;
  readonly #partMs: Float64Array;
  readonly #downloading: Float64Array;
  /** It registers the parts it owns. */
  readonly #uploads: Uint8Array;
  /** Who wants a slot here has changed. */
  readonly #isReviewDue: Uint8Array;
  readonly #isLive: Uint8Array;
  /** 1: leaves after the next part it gives; 2: gives no more. */
  readonly #leaving: Uint8Array;
  readonly #live: number[] = [];
  readonly #liveAt: Int32Array;
  readonly #transfers: Transfers;
  readonly #tally: Tally;
  /** By seed and part. */
  readonly #sent: Uint32Array;
  #now = 0;
  #unfinished: number;
  /** Parts that a seed has not sent. */
  #unsent: number;
  /** Peers that are complete and upload. */
  #sources = 0;

  constructor(scenario: Scenario) {
    const { peers, seeds, parts, slots, neighbours, partMs, seedRate } = scenario;
    const nodes = peers + seeds;
    this.#scenario = scenario;
    this.#random = seededRandom(scenario.seed);
    this.#nodes = nodes;
    const isStatic = scenario.arrivalMs === 0 && !scenario.leave;
    this.#around = new Neighbourhood(nodes, isStatic ? neighbours : neighbours + (neighbours >> 1));
    const edges = nodes * this.#around.places;
    this.#own = new PartTable(nodes, parts);
    this.#busy = new PartTable(nodes, parts);
    this.#known = new PartTable(edges, parts);
    this.#askedAt = new Int32Array(edges);
    this.#wants = new Uint8Array(edges);
    this.#sending = new Uint8Array(edges);
    this.#partMs = new Float64Array(nodes);
    this.#downloading = new Float64Array(nodes);
    this.#uploads = new Uint8Array(nodes);
    this.#isReviewDue = new Uint8Array(nodes);
    this.#isLive = new Uint8Array(nodes);
    this.#leaving = new Uint8Array(nodes);
    this.#liveAt = new Int32Array(nodes).fill(-1);
    this.#transfers = new Transfers(nodes, slots);
    this.#tally = new Tally(nodes, parts);
    this.#sent = new Uint32Array(seeds * parts);
    this.#unfinished = peers;
    this.#unsent = seeds * parts;
    const memory = scenario.picker === 'rarest' ? pickerArena(peers, parts) : null;
    const contenders = new ContenderTable(edges);
    for (let node = 0; node < nodes; node++) {
      const isPeer = node < peers;
      const rate = isPeer ? uploadOf(scenario, node) : seedRate;
      this.#partMs[node] = partMs / rate;
      this.#chokers.push(isPeer && isFreeRider(scenario, node) ? null : this.#makeChoker(contenders, node));
      if (this.#chokers[node] !== null) this.#uploads[node] = 1;
      if (!isPeer) this.#own.fill(node);
      else if (memory !== null)
        this.#pickers.push(new PartPicker(parts, { random: this.#random, memory: memory(node) }));
      else
        this.#pickers.push(new UninformedPicker(parts, scenario.picker === 'random' ? this.#random : null));
    }
    this.#start();
  }

  /** Lets at most so many events happen; true when the last peer is complete, or clearly will never be. */
  advance(events: number): boolean {
    const end = Math.min(HOPELESS * lowerBoundMs(this.#scenario) + this.#scenario.arrivalMs, LATEST_MS);
    for (let left = events; left > 0 && this.#unfinished > 0 && this.#now < end; left--) {
      const event = this.#events.next();
      this.#now = this.#events.time;
      this.#happen(event % KINDS, Math.floor(event / KINDS));
    }
    return this.#unfinished === 0 || this.#now >= end;
  }

  /** What was seen until now. */
  counts(): SwarmCounts {
    let slotMs = 0;
    for (const node of this.#live) slotMs += this.#slotMsOf(node);
    return this.#tally.counts(this.#scenario.peers, this.#now, slotMs);
  }

  #start(): void {
    const { peers, arrivalMs, neighbours } = this.#scenario;
    for (let seed = peers; seed < this.#nodes; seed++) this.#join(seed);
    for (let peer = 0; peer < peers; peer++) {
      const at = Math.round((arrivalMs * peer) / peers);
      this.#tally.arrives(peer, at);
      if (arrivalMs === 0) this.#join(peer);
      this.#push(at, peer, ARRIVES);
    }
    if (arrivalMs === 0) this.#around.connectAll(this.#nodes, neighbours, this.#random);
    this.#push(SAMPLE_MS, 0, SAMPLES);
  }

  #happen(kind: number, about: number): void {
    if (kind === PART_ENDS) this.#partEnds(about);
    else if (kind === POLLS) this.#polls(about);
    else if (kind === REVIEWS) this.#reviews(about);
    else if (kind === WITHDRAWN)
      this.#pickers[this.#transfers.to[about]!]!.requested(this.#transfers.part[about]! as PartIndex);
    else if (kind === ARRIVES) this.#arrives(about);
    else if (kind === LINGERED) this.#lingered(about);
    else this.#samples();
  }

  #push(time: number, about: number, kind: number): void {
    this.#events.push(time, about * KINDS + kind);
  }

  #makeChoker(contenders: ContenderTable, node: number): SlotPolicy {
    const { slots, choker, seedChoking } = this.#scenario;
    if (choker === 'random') return new RandomChoker(slots, this.#random);
    const { places } = this.#around;
    const rows = new EdgeRows(contenders, node * places, (node + 1) * places);
    return new Choker<number>({ slots, seedChoking, random: this.#random, rows });
  }

  #isSeed(node: number): boolean {
    return node >= this.#scenario.peers;
  }

  #isDone(node: number): boolean {
    return this.#own.isComplete(node);
  }

  #join(node: number): void {
    this.#isLive[node] = 1;
    this.#liveAt[node] = this.#live.length;
    this.#live.push(node);
    if (this.#chokers[node] !== null)
      this.#push(this.#now + Math.round(this.#random() * REVIEW_MS), node, REVIEWS);
  }

  #arrives(peer: number): void {
    if (this.#isLive[peer] === 0) this.#join(peer);
    this.#polls(peer);
  }

  /** Asks FCHU: learns what the neighbours have, and asks them for it. */
  #polls(node: number): void {
    if (this.#isLive[node] === 0 || this.#isDone(node)) return;
    const { neighbours, lagMs, download } = this.#scenario;
    // Otherwise only news make an owner wanted that was not.
    const isLimited = download !== null;
    const reconnects = this.#scenario.reconnect && this.#uploads[node] === 0;
    if (this.#around.degree[node]! < neighbours) this.#meetOthers(node);
    const { places } = this.#around;
    const first = node * places;
    const begin = Math.floor(this.#random() * places);
    for (let step = begin; step < begin + places; step++) {
      const edge = first + (step < places ? step : step - places);
      const owner = this.#around.node[edge]!;
      if (owner === NOBODY) continue;
      const hasNews = this.#learn(edge, node, owner);
      const isClosed = this.#wants[edge] === 1 && (reconnects || this.#now - this.#askedAt[edge]! >= WAIT_MS);
      if (isClosed) this.#closed(edge, owner);
      // A neighbour that is wanted no more is noticed when it would send.
      const isNewlyWanted = this.#wants[edge] === 0 && (hasNews || isClosed);
      if ((isNewlyWanted || isLimited) && this.#asks(edge, node, owner)) this.#serve(owner);
    }
    const isFirst = this.#now === this.#tally.arrivedAt(node);
    this.#push(this.#now + (isFirst ? Math.round(this.#random() * lagMs) : lagMs), node, POLLS);
  }

  #meetOthers(node: number): void {
    for (let tries = this.#scenario.neighbours - this.#around.degree[node]!; tries > 0; tries--) {
      this.#around.connect(node, this.#live[Math.floor(this.#random() * this.#live.length)]!);
    }
  }

  /** True when there was something to learn. */
  #learn(edge: number, node: number, owner: number): boolean {
    if (this.#known.owned[edge] === this.#own.owned[owner] || this.#uploads[owner] === 0) return false;
    const picker = this.#pickers[node]!;
    const isNewAndComplete = this.#known.owned[edge] === 0 && this.#own.isComplete(owner);
    this.#known.learn(edge, this.#own, owner, isNewAndComplete ? null : picker);
    if (isNewAndComplete) picker.ownerAdded(PartList.full(this.#scenario.parts));
    return true;
  }

  /** The owner closed the requests that waited for too long. */
  #closed(edge: number, owner: number): void {
    const back = this.#around.back[edge]!;
    if (this.#sending[back] === 0) this.#leaves(edge, owner);
  }

  /** No time in which the same part could be sent by another owner, too. */
  #isInstant(takesMs: number): boolean {
    const { roundTripMs } = this.#scenario;
    return roundTripMs === 0 || roundTripMs >= takesMs;
  }

  /** Has requests waiting at the owner while that has something to give; false when nothing changed. */
  #asks(edge: number, node: number, owner: number): boolean {
    const isWanting = this.#canTake(node, owner) && this.#known.hasBeyond(edge, this.#busy, node);
    const back = this.#around.back[edge]!;
    if (isWanting && this.#wants[edge] === 0) {
      this.#wants[edge] = 1;
      this.#askedAt[edge] = this.#now;
      this.#chokers[owner]!.wants(back, this.#now);
      this.#isReviewDue[owner] = 1;
      return true;
    }
    if (isWanting || this.#wants[edge] === 0 || this.#sending[back] === 1) return false;
    this.#leaves(edge, owner);
    return true;
  }

  /** The node has no request at the owner any more. */
  #leaves(edge: number, owner: number): void {
    this.#wants[edge] = 0;
    this.#chokers[owner]!.leaves(this.#around.back[edge]!, this.#now);
    this.#isReviewDue[owner] = 1;
  }

  #canTake(node: number, owner: number): boolean {
    const { download } = this.#scenario;
    return download === null || download - this.#downloading[node]! >= 0.1 * this.#slotRate(owner);
  }

  #slotRate(node: number): number {
    return this.#scenario.partMs / this.#partMs[node]! / this.#scenario.slots;
  }

  #reviews(node: number): void {
    if (this.#isLive[node] === 0) return;
    this.#isReviewDue[node] = 1;
    this.#serve(node);
    this.#push(this.#now + REVIEW_MS, node, REVIEWS);
  }

  /** Fills the slots of a node with requests of those who hold one. */
  #serve(owner: number): void {
    const choker = this.#chokers[owner]!;
    if (this.#leaving[owner] === 2) return;
    do {
      if (this.#isReviewDue[owner] === 1) choker.review(this.#now, !this.#own.isComplete(owner));
      this.#isReviewDue[owner] = 0;
      if (this.#transfers.isFull(owner)) return;
      for (const edge of choker.holders) if (this.#sending[edge] === 0) this.#serveHolder(owner, edge);
    } while (this.#isReviewDue[owner] === 1);
  }

  #serveHolder(owner: number, edge: number): void {
    // Whoever lost its slot keeps it until its part is sent.
    if (this.#transfers.isFull(owner)) return;
    const to = this.#around.node[edge]!;
    const back = this.#around.back[edge]!;
    const part = this.#canTake(to, owner) ? this.#granted(back, to, owner) : null;
    if (part === null) this.#leaves(back, owner);
    else this.#send(owner, edge, to, part);
  }

  /**
   * The part that is sent. A request that waits names one, but is replaced when its node learns of a better one or gets that
   * part elsewhere. So it is chosen now, from what the node knew a round trip ago.
   */
  #granted(edge: number, node: number, owner: number): PartIndex | null {
    const parts = this.#known.list(edge);
    const picker = this.#pickers[node]!;
    const first = picker.pick(parts);
    if (first === null) return null;
    if (!this.#isSeed(owner) || this.#scenario.picker !== 'rarest') return first;
    const waiting = [first];
    picker.requested(first);
    while (waiting.length < WAITING_AT_SOURCE) {
      const next = picker.pick(parts);
      if (next === null) break;
      picker.requested(next);
      waiting.push(next);
    }
    let chosen = first;
    for (const part of waiting) {
      picker.requestEnded(part);
      if (this.#wasSentLess(owner, part, chosen)) chosen = part;
    }
    return chosen;
  }

  #wasSentLess(owner: number, part: number, than: number): boolean {
    const { parts, peers } = this.#scenario;
    const first = (owner - peers) * parts;
    return this.#sent[first + part]! < this.#sent[first + than]!;
  }

  #send(owner: number, edge: number, to: number, part: PartIndex): void {
    const { parts, peers, roundTripMs, download } = this.#scenario;
    const slotRate = this.#slotRate(owner);
    const rate = download === null ? slotRate : Math.min(slotRate, download - this.#downloading[to]!);
    const isDouble = this.#busy.has(to, part);
    const wholeMs = (this.#partMs[owner]! * slotRate) / rate;
    const takesMs = isDouble ? Math.min(roundTripMs, wholeMs) : wholeMs;
    const transfer = this.#transfers.begin(owner, edge, to, part);
    this.#transfers.rate[transfer] = rate;
    this.#transfers.isDouble[transfer] = isDouble ? 1 : 0;
    this.#sending[edge] = 1;
    this.#downloading[to]! += rate;
    this.#tally.busySlotMs += takesMs;
    if (this.#isSeed(owner)) {
      if (this.#sent[(owner - peers) * parts + part]!++ === 0) this.#unsent--;
      this.#tally.sentBySeeds += takesMs / wholeMs;
    }
    if (isDouble) this.#tally.duplicateParts += takesMs / wholeMs;
    else {
      this.#busy.add(to, part);
      if (this.#isInstant(takesMs)) this.#pickers[to]!.requested(part);
      else this.#push(this.#now + roundTripMs, transfer, WITHDRAWN);
    }
    this.#push(Math.round(this.#now + takesMs), transfer, PART_ENDS);
    this.#askedAt[this.#around.back[edge]!] = this.#now;
  }

  #partEnds(transfer: number): void {
    const owner = this.#transfers.senderOf(transfer);
    const edge = this.#transfers.edge[transfer]!;
    const to = this.#transfers.to[transfer]!;
    this.#transfers.end(transfer);
    this.#downloading[to]! -= this.#transfers.rate[transfer]!;
    const isThere = this.#around.node[edge] === to;
    if (isThere) this.#sending[edge] = 0;
    const isDouble = this.#transfers.isDouble[transfer] === 1;
    if (!isDouble) this.#arrived(to, this.#transfers.part[transfer]!, owner, edge);
    if (isThere && this.#around.node[edge] === to) {
      const back = this.#around.back[edge]!;
      if (!this.#isDone(to)) this.#asks(back, to, owner);
      else if (this.#wants[back] === 1) this.#leaves(back, owner);
    }
    if (isThere && this.#spreads(owner)) {
      this.#chokers[owner]!.passOn(edge, this.#now, false);
      this.#isReviewDue[owner] = 1;
    }
    if (!isDouble && this.#leaving[owner] === 1) this.#leaving[owner] = 2;
    this.#serve(owner);
    if (this.#leaving[owner] === 2 && this.#transfers.active[owner] === 0) this.#depart(owner);
  }

  /** Others have the file from this seed alone: of some parts no copy left yet, or nobody else is complete. */
  #spreads(owner: number): boolean {
    return this.#isSeed(owner) && (this.#unsent > 0 || this.#sources + this.#scenario.seeds === 1);
  }

  #arrived(to: number, part: number, owner: number, edge: number): void {
    const picker = this.#pickers[to]!;
    picker.landed(part as PartIndex);
    picker.requestEnded(part as PartIndex);
    this.#own.add(to, part);
    this.#tally.landed(part);
    this.#countFor(owner, edge, to);
    this.#chokers[to]?.gave(this.#around.back[edge]!, PART_BYTES, this.#now);
    if (this.#isDone(to)) this.#completed(to);
  }

  /** What the owner's way of choosing goes by, where it does: in a large swarm it is much. */
  #countFor(owner: number, edge: number, to: number): void {
    const { seedChoking, parts } = this.#scenario;
    if (seedChoking === 'fastest' || !this.#isDone(owner))
      this.#chokers[owner]!.took(edge, PART_BYTES, this.#now);
    if (seedChoking === 'anti-leech') this.#chokers[owner]!.progress(edge, this.#own.owned[to]! / parts);
  }

  #completed(peer: number): void {
    this.#tally.completed(peer, this.#now);
    this.#unfinished--;
    this.#sources += this.#uploads[peer]!;
    // Whoever waits for something here is told at once; nothing is wanted any more.
    const first = peer * this.#around.places;
    for (let edge = first; edge < first + this.#around.places; edge++) {
      const owner = this.#around.node[edge]!;
      if (owner === NOBODY || this.#wants[edge] === 0) continue;
      if (this.#sending[this.#around.back[edge]!] === 0) this.#leaves(edge, owner);
    }
    if (!this.#scenario.leave) return;
    if (this.#chokers[peer] === null) this.#depart(peer);
    else {
      this.#leaving[peer] = 1;
      this.#push(this.#now + LINGER_MS, peer, LINGERED);
    }
  }

  #lingered(peer: number): void {
    if (this.#isLive[peer] === 0 || this.#leaving[peer] !== 1) return;
    if (this.#transfers.active[peer] === 0) this.#depart(peer);
    else this.#push(this.#now + LINGER_MS, peer, LINGERED);
  }

  #depart(node: number): void {
    if (this.#isLive[node] === 0) return;
    this.#tally.slotMs += this.#slotMsOf(node);
    this.#isLive[node] = 0;
    if (!this.#isSeed(node) && this.#isDone(node)) this.#sources -= this.#uploads[node]!;
    const moved = this.#live.pop()!;
    if (moved !== node) {
      this.#live[this.#liveAt[node]!] = moved;
      this.#liveAt[moved] = this.#liveAt[node]!;
    }
    const first = node * this.#around.places;
    for (let edge = first; edge < first + this.#around.places; edge++) {
      const other = this.#around.node[edge]!;
      if (other === NOBODY) continue;
      const back = this.#around.back[edge]!;
      this.#chokers[other]?.leaves(back, this.#now);
      this.#isReviewDue[other] = 1;
      this.#pickers[other]?.ownerRemoved(this.#known.list(back));
      for (const end of [edge, back]) {
        this.#known.clear(end);
        this.#wants[end] = 0;
        this.#sending[end] = 0;
      }
      this.#around.disconnect(edge);
    }
  }

  #samples(): void {
    this.#tally.sample();
    this.#push(this.#now + SAMPLE_MS, 0, SAMPLES);
  }

  /** Time of the slots of a node that uploads, since it came. */
  #slotMsOf(node: number): number {
    return this.#uploads[node]! * (this.#now - this.#tally.arrivedAt(node)) * this.#scenario.slots;
  }
}
