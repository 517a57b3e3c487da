import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { NOT_ADMITTED } from '../../src/net/admission.js';
import type { Answer, Handler, LeasedFrame, UploadPace } from '../../src/net/handler.js';
import { DEFAULT_LISTENER_LIMITS, Listener, type ListenerInit } from '../../src/net/listener.js';
import type { Request } from '../../src/protocol/messages.js';
import { atEnd } from '../support/clean-up.js';
import { nothingOpen } from './scripted-node.js';

export interface Listening {
  readonly listener: Listener;
  readonly port: number;
}

/**
 * A listener on loopback until the test is over; then it is proven that each connection was counted once and that no
 * socket is left open.
 */
export async function listening(
  t: TestContext,
  handler: Handler,
  more: Partial<ListenerInit> & { clock?: Clock } = {},
): Promise<Listening> {
  atEnd(t, nothingOpen);
  const init = { handler, clock: systemClock, limits: DEFAULT_LISTENER_LIMITS, logger: silentLogger };
  const listener = new Listener({ ...init, ...more });
  atEnd(t, async () => {
    await listener.stop(0);
    const { accepted, refused, closed, connections, waiting, backlog } = listener.stats();
    const turnedAway: readonly string[] = ['too-many-connections', ...NOT_ADMITTED];
    const ends = [...Object.entries(refused), ...Object.entries(closed)];
    const over = ends.reduce((sum, [reason, count]) => sum + (turnedAway.includes(reason) ? 0 : count), 0);
    assert.deepEqual(
      { over, connections, waiting, backlog },
      { over: accepted, connections: 0, waiting: 0, backlog: 0 },
    );
  });
  const { port } = await listener.start({ host: '127.0.0.1', port: 0 });
  return { listener, port };
}

/** Answers RETP with its part number as text. */
export const numbers: Handler = (request) => Buffer.from(String(partOf(request)));

export function partOf(request: Request): number {
  assert.equal(request.command, 'RETP');
  return request.part;
}

/** A handler whose answers a test gives when it likes; the request's part number is its name. */
export class HeldAnswers {
  /** Parts asked for, in the order in which their handlers were called. */
  readonly asked: number[] = [];
  readonly #pending = new Map<number, { answer: (answer: Answer) => void; fail: (error: Error) => void }>();

  readonly handler: Handler = (request) => {
    const part = partOf(request);
    this.asked.push(part);
    return new Promise((answer, fail) => this.#pending.set(part, { answer, fail }));
  };

  answer(part: number, answer: Answer = Buffer.from(String(part))): void {
    this.#pending.get(part)!.answer(answer);
  }

  fail(part: number, error: Error): void {
    this.#pending.get(part)!.fail(error);
  }
}

/** A frame that notes how it was given back. */
export class Lease implements LeasedFrame {
  readonly frame: Uint8Array;
  readonly payloadBytes: number;
  readonly pace: UploadPace | null;
  readonly releases: boolean[] = [];

  constructor(frame: Uint8Array, pace: UploadPace | null = null) {
    this.frame = frame;
    this.pace = pace;
    this.payloadBytes = frame.length;
  }

  release(sent: boolean): void {
    this.releases.push(sent);
  }
}
