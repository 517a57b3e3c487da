import { OperationalError } from '../core/errors.js';
import { formatHostPort, formatIpp2p, type HostPort, type NodeAddress } from '../model/address.js';
import type { ExchangeFailure, SocketEnd } from '../net/connection.js';
import type { Command } from '../protocol/messages.js';

/** Codes of the OperationalErrors that one tracker can cause. */
export const TRACKER_REFUSED = 'TRACKER_REFUSED';
export const LOGIN_REFUSED = 'LOGIN_REFUSED';
const TRACKER_AWAY = 'TRACKER_AWAY';
export const TRACKER_STOPPED = 'TRACKER_STOPPED';

/** Ended without a byte of an answer: the base protocol's only way to refuse (PROTOCOL.md §2). */
export function isRefusal({ kind, begun }: ExchangeFailure): boolean {
  return !begun && (kind === 'refused' || kind === 'reset');
}

export function refused(tracker: HostPort, command: Command, about: string): OperationalError {
  const text = `tracker ${nameOf(tracker)} refused ${command}${about === '' ? '' : ` for ${about}`}, also after a new login`;
  return new OperationalError('network', TRACKER_REFUSED, text);
}

export function away(tracker: HostPort, failure: ExchangeFailure): OperationalError {
  const options = failure.error === undefined ? {} : { cause: failure.error };
  const text = `tracker ${nameOf(tracker)} ${whatHappened(failure)}`;
  return new OperationalError('network', TRACKER_AWAY, text, options);
}

export function loginRefused(tracker: HostPort, self: NodeAddress, local: SocketEnd): OperationalError {
  return new OperationalError(
    'network',
    LOGIN_REFUSED,
    `tracker ${nameOf(tracker)} refused the login of ${formatIpp2p(self)} from ${local.ip}: ` +
      'set --announce to the address that the tracker sees, or start the tracker with --trust-announced-addresses',
  );
}

export function stopped(tracker: HostPort): OperationalError {
  return new OperationalError(
    'interrupted',
    TRACKER_STOPPED,
    `no more requests to tracker ${nameOf(tracker)}`,
  );
}

/** `host:port`, as messages and logs name a tracker. */
export function nameOf({ host, port }: HostPort): string {
  return formatHostPort(host, port);
}

function whatHappened({ kind, begun, error }: ExchangeFailure): string {
  switch (kind) {
    case 'connect':
      return `cannot be reached (${reasonOf(error)})`;
    case 'refused':
      return 'closed the connection without an answer';
    case 'cut':
      return 'closed the connection inside an answer';
    case 'reset':
      return `broke the connection ${begun ? 'inside' : 'before'} an answer (${reasonOf(error)})`;
    case 'first-byte-timeout':
      return 'did not answer in time';
    case 'stall':
      return 'fell silent inside an answer';
    case 'protocol':
      return `sent an answer that is none (${reasonOf(error)})`;
    case 'aborted':
      return 'is not asked any more';
  }
}

/** `ECONNREFUSED` says more in less words than node's message, which repeats the address. */
function reasonOf(error: Error | undefined): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code?.startsWith('E') === true ? code : (error?.message ?? 'no reason given');
}
