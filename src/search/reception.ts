import type { PacketId } from '../model/ids.js';
import type { Request } from '../protocol/messages.js';
import type { Sender } from './query-node.js';

/** What comes back to whoever asked. */
export type SearchAnswer = Extract<Request, { command: 'AQUE' | 'ANEA' }>;

/** False: it answers nothing that was asked. */
export type TakeAnswer = (answer: SearchAnswer, sender: Sender) => boolean;

/** Where the answers to one search arrive. */
export interface Reception {
  /** Resolves with the port that answers come to. Rejects with OperationalError 'LISTEN'. */
  open(take: TakeAnswer): Promise<number>;
  /** Nothing comes any more. Idempotent. */
  close(): Promise<void>;
  /** For a message of this search; one that comes back under it is nobody's question here. */
  newPacket(): PacketId;
}
