/** What became of the messages of the flooding, in plain numbers since the start. */
import type { ConnectionRefusal, TargetRefusal } from '../policy/answer-target.js';
import type { DropReason } from '../policy/query-router.js';

/** Why a message went no further; `neighbour-full` and the reasons behind it count messages of our own, too. */
export type SearchDrop =
  | Exclude<DropReason, 'duplicate'>
  | TargetRefusal
  | ConnectionRefusal
  /** It came from another address than its asker's, which is no neighbour's. */
  | 'not-a-neighbour'
  | 'neighbour-rate'
  | 'asker-rate'
  /** An answer to nothing that was asked. */
  | 'unasked'
  /** Too many queries wait for the store. */
  | 'store-busy'
  | 'store-away'
  | 'neighbour-full'
  | 'answers-full'
  | 'asker-unreachable';

export class SearchCounts {
  /** QUER and NEAR. */
  received = 0;
  duplicate = 0;
  /** Copies sent to neighbours. */
  forwarded = 0;
  /** Copies not sent, because nothing there matches. */
  filtered = 0;
  /** Queries and NEARs that were forwarded at all: `forwarded` over this is the fan-out. */
  spread = 0;
  /** AQUE and ANEA that were sent. */
  answers = 0;
  readonly dropped: Partial<Record<SearchDrop, number>> = {};

  drop(reason: SearchDrop, messages = 1): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + messages;
  }
}
