import type { NodeAddress } from '../model/address.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { ProvenHalves } from './address-proof.js';

/** What there is to keep of a session besides what it owns. */
export interface SessionState {
  readonly id: SessionId;
  readonly address: NodeAddress;
  readonly proven: ProvenHalves;
  /** Its last sign of life. */
  readonly heard: number;
}

/**
 * Told what is no longer as it was: come, changed or gone. Told within the call that changed it, and maybe before
 * the change is whole; so what it is now is asked later.
 */
export interface StateChanges {
  sessionChanged(session: SessionId): void;
  fileChanged(md5: FileMd5): void;
  ownershipChanged(session: SessionId, md5: FileMd5): void;
}

const nothing = () => {};

/** For a state that is kept nowhere else. */
export const UNTOLD: StateChanges = {
  sessionChanged: nothing,
  fileChanged: nothing,
  ownershipChanged: nothing,
};

/**
 * A sign of life is told when the last one told of is so many milliseconds older: every one would be a write for every
 * request. A peer that is silent is probed after five times as long (`KEEPING_LIMITS`).
 */
export const HEARD_STEP_MS = 3 * 60_000;
