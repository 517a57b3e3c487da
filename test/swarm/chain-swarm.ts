import assert from 'node:assert/strict';
import { seededBytes } from '../support/files.js';
import { type Behaviour, DownloadRig, type DownloadRigOptions, sends } from './download-rig.js';
import { midstatesOf, STATE_BYTES, sendsList } from './midstates.js';

export const PART = 1024;

/** A peer of a test: what it has in place of the content, and what it says the midstates are. */
export interface Sharer {
  /** The content when left out. */
  readonly data?: Buffer;
  /** The content's when left out; null: it does not know MIDS. */
  readonly list?: Buffer | Behaviour | null;
  /** What it does with a RETP, in place of sending `data`. */
  readonly parts?: Behaviour;
}

type Options = Partial<Omit<DownloadRigOptions, 'content' | 'peers' | 'lists'>>;

/** A download of a file with midstates from peers of which some lie. */
export class ChainSwarm extends DownloadRig {
  readonly content: Buffer;
  /** Peers whose wrong bytes were looked at. */
  readonly sentWrong = new Set<number>();
  /** Who was the last to be asked for each part. */
  readonly #senders = new Map<number, number>();
  readonly #states: Buffer;
  /** How many requests each liar had been sent when the first part it had wrong was hashed under the right list. */
  readonly #askedWhenSeen = new Map<number, number>();

  constructor(content: Buffer, sharers: readonly Sharer[], options: Options = {}) {
    const states = midstatesOf(content, PART);
    super({
      partSize: PART,
      ...options,
      content,
      peers: sharers.map(({ parts, data = content }, n) => {
        const behave = parts ?? sends(data, PART);
        return (request) => {
          this.#senders.set(request.part, n);
          behave(request);
        };
      }),
      lists: sharers.map(({ list = states }) =>
        typeof list === 'function' ? list : list === null ? undefined : sendsList(list),
      ),
    });
    this.content = content;
    this.#states = states;
    this.disk.onVerified = (position, bytes, starts) => this.#see(position, bytes, starts);
  }

  /** Asserts that the file is right, that exactly these peers were banned, and that those who sent wrong parts were asked no more. */
  assertRight(banned: readonly number[]): void {
    if (banned.length > 0 && this.sentWrong.size > 0) assert.ok(this.counts.stats().parts.wrong > 0);
    assert.ok(this.disk.data.equals(this.content), 'the file is wrong');
    assert.ok(this.stored.isComplete);
    assert.deepEqual(
      this.banned.sort((a, b) => a - b),
      banned,
    );
    for (const [liar, asked] of this.#askedWhenSeen) {
      assert.equal(this.links[liar]!.asked.length, asked, `peer ${liar} was asked after it was seen to lie`);
    }
  }

  /** Payload bytes fetched, as a share of the file. */
  get fetchedShare(): number {
    return this.download.snapshot().fetched / this.content.length;
  }

  #see(position: number, bytes: Buffer, starts: Uint8Array): void {
    const right = this.content.subarray(position, position + bytes.length);
    const sender = this.#senders.get(position / PART);
    if (bytes.equals(right) || sender === undefined) return;
    this.sentWrong.add(sender);
    if (this.#askedWhenSeen.has(sender) || !this.#hasRightState(position / PART, starts)) return;
    this.#askedWhenSeen.set(sender, this.links[sender]!.asked.length);
  }

  /** The first of the states is that of the list which is followed. */
  #hasRightState(part: number, starts: Uint8Array): boolean {
    const state = this.#states.subarray((part - 1) * STATE_BYTES, part * STATE_BYTES);
    return part === 0 || state.equals(starts.subarray(0, STATE_BYTES));
  }
}

/** The content with some parts, or all of them, replaced by bytes that only `who` has. */
export function garbageIn(content: Buffer, who: string, parts?: readonly number[]): Buffer {
  const garbage = seededBytes(`garbage of ${who}`, content.length);
  if (parts === undefined) return garbage;
  const data = Buffer.from(content);
  for (const part of parts) garbage.copy(data, part * PART, part * PART, (part + 1) * PART);
  return data;
}

/** The list with other states at the borders `entries` (1 is the one behind the first part). */
export function forgedAt(states: Buffer, ...entries: number[]): Buffer {
  const forged = Buffer.from(states);
  for (const entry of entries) forged[(entry - 1) * STATE_BYTES + 7]! ^= 0x40;
  return forged;
}
