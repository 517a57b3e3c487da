import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { HostPort } from '../model/address.js';
import { type PacketId, randomPacketId } from '../model/ids.js';
import { DEFAULT_LISTENER_LIMITS, Listener } from '../net/listener.js';
import { encodeAcap } from '../protocol/encode.js';
import type { Reception, TakeAnswer } from './reception.js';

const STOP_MS = 1_000;
const CAPABILITIES = ['KEEP'];

export interface AnswerPortInit {
  readonly listen: HostPort;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A port for the answers to one search, of a process that listens for nothing else. */
export class AnswerPort implements Reception {
  readonly #init: AnswerPortInit;
  readonly #listener: Listener;
  #take: TakeAnswer = () => false;

  /** Does no I/O until `open`. */
  constructor(init: AnswerPortInit) {
    this.#init = init;
    this.#listener = new Listener({
      clock: init.clock,
      logger: init.logger,
      limits: DEFAULT_LISTENER_LIMITS,
      handler: (request, requester) => {
        if (request.command === 'CAPS') return encodeAcap(CAPABILITIES);
        if (request.command !== 'AQUE' && request.command !== 'ANEA') return null;
        this.#take(request, requester);
        return 'no-answer';
      },
    });
  }

  async open(take: TakeAnswer): Promise<number> {
    this.#take = take;
    return (await this.#listener.start(this.#init.listen)).port;
  }

  async close(): Promise<void> {
    await this.#listener.stop(STOP_MS);
  }

  newPacket(): PacketId {
    return randomPacketId(randomBytes);
  }
}
