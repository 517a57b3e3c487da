import type { Clock } from '../core/clock.js';
import { OperationalError } from '../core/errors.js';
import { hosts, isNoHost } from '../model/address.js';
import { parseFileQuery } from '../model/file-query.js';
import { isGeometry, partGeometry } from '../model/geometry.js';
import { type FileMd5, REFUSED_SESSION, randomSessionId, type SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import {
  encodeAadr,
  encodeAcap,
  encodeAdel,
  encodeAfch,
  encodeAlgi,
  encodeAlog,
  encodeAloo,
  encodeApad,
  encodeNlog,
} from '../protocol/encode.js';
import { MAX_RECORDS } from '../protocol/limits.js';
import type { Request } from '../protocol/messages.js';
import type { Access } from './access.js';
import { ALL_PROVEN, NOTHING_PROVEN, provenBy, provenHosts } from './address-proof.js';
import { MAX_PARTS_TOTAL } from './limits.js';
import { type MaybePromise, whenReady } from './maybe-promise.js';
import { sampleOwners } from './owner-sample.js';
import type { Refusal } from './refusal.js';
import {
  isTrackerCommand,
  RequestCounters,
  type RequestStats,
  type TrackerCommand,
} from './request-counters.js';
import type { Caller, FileOwners, LogOut, TrackerStore } from './store.js';

/** Who sent a request, as far as a tracker cares. */
export interface Requester {
  /** The source address of the connection, in canonical form. */
  readonly ip: string;
}

export interface TrackerOptions {
  readonly store: TrackerStore;
  readonly clock: Pick<Clock, 'now'>;
  /** From [0, 1), as Math.random: for the sample of owners. */
  readonly random: () => number;
  /** From a cryptographic source: for the SessionIDs. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** No source check at the login: whatever address a peer announces is given to others. */
  readonly trustAnnouncedAddresses: boolean;
  readonly access: Access;
}

/** What a tracker of ours can beyond the base protocol (PROTOCOL.md §7.4). */
const CAPABILITIES = ['KEEP', 'DELR', 'QUER', 'QFIL'];

type RequestOf<Command extends TrackerCommand> = Extract<Request, { command: Command }>;
/** The bytes of the answer; null: a refusal, the connection is closed without a byte. */
type Answer = Uint8Array | null;

/** Answers the requests of PROTOCOL.md §3, §7.3 and §7.4 from what its store remembers. Knows no socket; keeps nothing but counters. */
export class Tracker {
  readonly #store: TrackerStore;
  readonly #options: TrackerOptions;
  readonly #counters = new RequestCounters();

  constructor(options: TrackerOptions) {
    this.#store = options.store;
    this.#options = options;
  }

  /** In the same turn when the store answers in the same turn. */
  handle(request: Request, requester: Requester): MaybePromise<Answer> {
    const answer = this.#answer(request, requester);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => {
      if (!(error instanceof OperationalError) || error.code !== 'STORE_AWAY') throw error;
      return this.#refuse(isTrackerCommand(request.command) ? request.command : 'other', 'STORE_AWAY');
    });
  }

  #answer(request: Request, requester: Requester): MaybePromise<Answer> {
    switch (request.command) {
      case 'RPAD':
        return this.#addPart(request, requester);
      case 'FCHU':
        return this.#findOwners(request, requester);
      case 'LOOK':
        return this.#findFiles(request, requester);
      case 'ADDR':
        return this.#addFile(request, requester);
      case 'LOGI':
        return this.#logIn(request, requester);
      case 'LOGO':
        return whenReady(this.#store.logOut(this.#caller(request.session, requester)), this.#loggedOut);
      case 'DELR':
        return this.#giveUpFile(request, requester);
      case 'CAPS':
        this.#counters.answered('ACAP');
        return encodeAcap(CAPABILITIES);
      default:
        return this.#refuse('other', 'UNKNOWN_COMMAND');
    }
  }

  stats(): RequestStats {
    return this.#counters.stats();
  }

  #logIn({ address }: RequestOf<'LOGI'>, { ip }: Requester): MaybePromise<Answer> {
    const { clock, randomBytes, trustAnnouncedAddresses, access } = this.#options;
    const announced = hosts(address);
    if (announced.length === 0) return this.#loggedIn('NO_ADDRESS');
    if (address.port === 0 || announced.some(isNoHost)) return this.#loggedIn('UNUSABLE_ADDRESS');
    const proven = trustAnnouncedAddresses ? ALL_PROVEN : provenBy(address, ip);
    if (proven === NOTHING_PROVEN) return this.#loggedIn('FOREIGN_ADDRESS');
    if (!provenHosts(address, proven).every((host) => access.admitsAddress(host)))
      return this.#loggedIn('DENIED_NETWORK');
    const candidate = randomSessionId(randomBytes);
    const login = { address, proven, candidate, now: clock.now(), account: access.termsOf(ip) };
    return whenReady(this.#store.logIn(login), this.#loggedIn);
  }

  /** The one refusal that has a form of its own: ALGI with sixteen zeros. */
  readonly #loggedIn = (outcome: { readonly session: SessionId } | Refusal): Answer => {
    if (typeof outcome === 'string') {
      this.#refuse('LOGI', outcome);
      return encodeAlgi(REFUSED_SESSION);
    }
    this.#counters.answered('ALGI');
    return encodeAlgi(outcome.session);
  };

  #addFile(
    { session, fileSize, partSize, name, md5 }: RequestOf<'ADDR'>,
    requester: Requester,
  ): MaybePromise<Answer> {
    if (!isGeometry(fileSize, partSize)) return this.#refuse('ADDR', 'GEOMETRY');
    if (this.#isDenied(md5)) return this.#refuse('ADDR', 'DENIED_FILE');
    const file = { md5, name, geometry: partGeometry(fileSize, partSize) };
    return whenReady(this.#store.addFile(this.#caller(session, requester), file), this.#fileAdded);
  }

  readonly #fileAdded = (outcome: number | Refusal): Answer => {
    if (typeof outcome === 'string') return this.#refuse('ADDR', outcome);
    this.#counters.answered('AADR');
    return encodeAadr(outcome);
  };

  #findFiles({ session, text }: RequestOf<'LOOK'>, requester: Requester): MaybePromise<Answer> {
    const caller = this.#caller(session, requester);
    return whenReady(this.#store.findFiles(caller, parseFileQuery(text), MAX_RECORDS), this.#filesFound);
  }

  readonly #filesFound = (outcome: readonly Manifest[] | Refusal): Answer => {
    if (typeof outcome === 'string') return this.#refuse('LOOK', outcome);
    this.#counters.answered('ALOO');
    // Other trackers of one store may admit other files.
    const admitted = outcome.filter(({ md5 }) => !this.#isDenied(md5));
    return encodeAloo(
      admitted.map(({ md5, name, geometry: { fileSize, partSize } }) => ({ md5, name, fileSize, partSize })),
    );
  };

  #findOwners({ session, md5 }: RequestOf<'FCHU'>, requester: Requester): MaybePromise<Answer> {
    if (this.#isDenied(md5)) return this.#refuse('FCHU', 'DENIED_FILE');
    return whenReady(this.#store.findOwners(this.#caller(session, requester), md5), this.#ownersFound);
  }

  readonly #ownersFound = (outcome: FileOwners | Refusal): Answer => {
    if (typeof outcome === 'string') return this.#refuse('FCHU', outcome);
    const { owners, partCount } = outcome;
    const sample = sampleOwners(owners, partCount, MAX_RECORDS, this.#options.random);
    this.#counters.answered('AFCH');
    return encodeAfch(partCount, sample);
  };

  #addPart({ session, md5, part }: RequestOf<'RPAD'>, requester: Requester): MaybePromise<Answer> {
    if (this.#isDenied(md5)) return this.#refuse('RPAD', 'DENIED_FILE');
    return whenReady(this.#store.addPart(this.#caller(session, requester), md5, part), this.#partAdded);
  }

  readonly #partAdded = (outcome: number | Refusal): Answer => {
    if (typeof outcome === 'string') return this.#refuse('RPAD', outcome);
    this.#counters.answered('APAD');
    return encodeApad(outcome);
  };

  readonly #loggedOut = (outcome: LogOut | Refusal): Answer => {
    if (typeof outcome === 'string') return this.#refuse('LOGO', outcome);
    this.#counters.answered(outcome.left ? 'ALOG' : 'NLOG');
    const parts = Math.min(outcome.parts, MAX_PARTS_TOTAL);
    return outcome.left ? encodeAlog(parts) : encodeNlog(parts);
  };

  #giveUpFile({ session, md5 }: RequestOf<'DELR'>, requester: Requester): MaybePromise<Answer> {
    return whenReady(this.#store.giveUpFile(this.#caller(session, requester), md5), this.#fileGivenUp);
  }

  readonly #fileGivenUp = (outcome: number | Refusal): Answer => {
    if (typeof outcome === 'string') return this.#refuse('DELR', outcome);
    this.#counters.answered('ADEL');
    return encodeAdel(outcome);
  };

  #isDenied(md5: FileMd5): boolean {
    return !this.#options.access.admitsFile(md5);
  }

  #caller(session: SessionId, { ip }: Requester): Caller {
    return { session, ip, now: this.#options.clock.now() };
  }

  #refuse(command: TrackerCommand | 'other', reason: Refusal): null {
    this.#counters.refused(command, reason);
    return null;
  }
}
