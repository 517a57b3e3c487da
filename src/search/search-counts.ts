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
  /** All of them from the start: what counts for the first time would else be no increase to whoever watches. */
  readonly dropped: Record<SearchDrop, number> = {
    'empty-text': 0,
    'not-a-neighbour': 0,
    'neighbour-rate': 0,
    'asker-rate': 0,
    'target-port': 0,
    'target-forbidden': 0,
    'target-scope': 0,
    'target-silent': 0,
    'targets-full': 0,
    unasked: 0,
    'store-busy': 0,
    'store-away': 0,
    'neighbour-full': 0,
    'answers-full': 0,
    'asker-unreachable': 0,
  };

  drop(reason: SearchDrop, messages = 1): void {
    this.dropped[reason] += messages;
  }
}
