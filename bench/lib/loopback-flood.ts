import { systemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { type FloodOutcome, flood } from '../../src/daemon/flood.js';
import { emptySearchMemory } from '../../src/daemon/search-memory.js';
import type { HostPort } from '../../src/model/address.js';
import { AnswerPort } from '../../src/search/answer-port.js';

const HOST = '127.0.0.1';

/** Searches by flooding from that tracker until there is one result, with nothing known from before. */
export function floodOnLoopback(
  tracker: HostPort,
  text: string,
  signal = new AbortController().signal,
): Promise<FloodOutcome> {
  const quiet = { clock: systemClock, logger: silentLogger };
  return flood({
    ...{ text, want: 1, trackers: [tracker], announce: null, localAddress: HOST, signal, ...quiet },
    reception: new AnswerPort({ listen: { host: HOST, port: 0 }, ...quiet }),
    memory: emptySearchMemory(),
    onResult: () => true,
  });
}
