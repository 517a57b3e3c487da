/**
 * One tracker, and the login that this node has there (PROTOCOL.md §2, §3): the client's side of every message.
 *
 * Invariant: what the tracker should know of this node (files it sources, parts it owns) is kept here and told again
 * whenever the SessionID changed. Nothing is sent before `start` or `login`, and nothing after `stop`.
 */
import type { Clock } from '../core/clock.js';
import type { OperationalError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { type HostPort, hosts, type NodeAddress, sameHost } from '../model/address.js';
import type { PartGeometry } from '../model/geometry.js';
import type { FileMd5, SessionId } from '../model/ids.js';
import type { Manifest } from '../model/manifest.js';
import { RequestPipeline } from '../net/request-pipeline.js';
import type { FoundFile, Logout, Owner } from '../protocol/messages.js';
import { Claims } from './claims.js';
import { LoginAttempt } from './login-attempt.js';
import { PartReports, type ReportTracker } from './part-reports.js';
import { type RegistrationState, Registrations, type RegistrationTracker } from './registrations.js';
import type { SelfAddress } from './self-address.js';
import { type GeometryVerdict, TrackerGeometry } from './tracker-geometry.js';
import { type LoginStatus, TrackerLogin } from './tracker-login.js';
import { TrackerRequests } from './tracker-requests.js';
import { nameOf, stopped } from './tracker-trouble.js';
import { type WithdrawalState, Withdrawals, type WithdrawalTracker } from './withdrawals.js';

/** Other trackers answer one request a connection: this many of them at once. */
const CONNECTIONS = 4;
const DEPTH = 16;
const QUEUE = 1_024;

export interface TrackerSessionInit {
  readonly tracker: HostPort;
  readonly self: SelfAddress;
  /** The address to connect from; the system's choice when left out. */
  readonly localAddress?: string | undefined;
  /** At most so many at once; CONNECTIONS when left out. */
  readonly connections?: number;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  /** Called after each attempt to log in. */
  readonly attempted?: () => void;
}

export class TrackerSession {
  readonly tracker: HostPort;
  readonly #init: TrackerSessionInit;
  readonly #login: TrackerLogin;
  readonly #requests: TrackerRequests;
  readonly #pipeline: RequestPipeline;
  readonly #geometry: TrackerGeometry;
  readonly #registrations: Registrations;
  readonly #reports: PartReports;
  readonly #claims: Claims;
  readonly #withdrawals: Withdrawals;
  /** What the last login announced. */
  #self: NodeAddress | null = null;
  #ip: string | null = null;
  #lastSession: SessionId | null = null;
  #attempt: LoginAttempt | null = null;

  constructor(init: TrackerSessionInit) {
    const { tracker, localAddress, connections = CONNECTIONS, clock, random } = init;
    this.tracker = tracker;
    this.#init = init;
    this.#pipeline = new RequestPipeline({
      hosts: [tracker.host],
      port: tracker.port,
      localAddress,
      clock,
      maxConnections: connections,
      depth: DEPTH,
      queueLimit: QUEUE,
      // A tracker that was restarted has forgotten us: find out before the next renewal.
      onHangUp: () => this.#login.doubt(),
    });
    this.#login = new TrackerLogin({
      attempt: () => this.#logIn(),
      loggedIn: (session) => this.#loggedIn(session),
      failed: (error, isNews) => this.#loginFailed(error, isNews),
      clock,
      random,
    });
    this.#requests = new TrackerRequests({
      tracker,
      login: this.#login,
      submit: (exchange) => this.#pipeline.submit(exchange),
      restored: () => this.#registrations.settled(),
    });
    this.#geometry = new TrackerGeometry(
      (text) => this.#requests.look(text, false),
      (manifest, kept) => this.#otherGeometry(manifest, kept),
    );
    this.#claims = new Claims(() => this.#withdrawals.goOn());
    this.#withdrawals = new Withdrawals(this.#withdrawalTracker(), this.#claims, clock);
    this.#reports = new PartReports(this.#reportTracker(), clock);
    this.#registrations = new Registrations(
      this.#registrationTracker(),
      this.#geometry,
      ({ md5, name }, error) => this.#warn({ md5, name, error: error.message }, 'file not registered'),
      clock,
    );
  }

  get status(): LoginStatus {
    return this.#login.status;
  }

  /** Why the status is 'away'; null while it is not. */
  get lastError(): OperationalError | null {
    return this.#login.lastError;
  }

  /** The tracker's address while this node is logged in there; else null. */
  get reachedAt(): string | null {
    return this.status === 'logged-in' ? this.#ip : null;
  }

  /** Whether the tracker has this node as a source of the file. */
  isRegistered(md5: FileMd5): boolean {
    return this.#registrations.isRegistered(md5);
  }

  /** Logs in now and stays logged in: again every 5 minutes, and with growing pauses while the tracker is away. */
  start(): void {
    this.#login.persist();
  }

  /** Logs in once. Rejects with an OperationalError when the tracker is away or refuses. */
  async login(): Promise<void> {
    await this.#login.again();
  }

  /**
   * Makes this node a source of the file, now and after every loss of the tracker's memory. Resolves with what became
   * of it once the tracker has said; never rejects.
   */
  register(manifest: Manifest): Promise<RegistrationState> {
    this.#withdrawals.revoke(manifest.md5);
    return this.#registrations.add(manifest);
  }

  /**
   * Gives the file up: its registration and every part reported. Resolves with what became of that once the tracker has
   * said, or will not; never rejects. What is registered or owned again afterwards is told after it.
   */
  unregister(md5: FileMd5): Promise<WithdrawalState> {
    this.#registrations.drop(md5);
    this.#reports.forget(md5);
    return this.#withdrawals.add(md5);
  }

  /** Tells the tracker that this node owns the part, some time soon and again whenever it lost its memory. */
  own(md5: FileMd5, part: number): void {
    if (!this.#geometry.isOther(md5)) this.#reports.add(md5, part);
  }

  /** At most 20 bytes of `text` are sent. Rejects with an OperationalError. */
  async look(text: string): Promise<FoundFile[]> {
    const files = await this.#requests.look(text, true);
    this.#geometry.remember(files);
    return files;
  }

  /** The other owners of a file of `partCount` parts. Rejects with an OperationalError. */
  async fchu(md5: FileMd5, partCount: number): Promise<Owner[]> {
    const owners = await this.#requests.owners(md5, partCount, true);
    return owners.filter(({ address }) => !this.#isSelf(address));
  }

  /**
   * The other owners, if the tracker keeps this geometry for the file; none if it keeps another, or if it is one of
   * ours and does not know the file. `name` finds the file at trackers that search names only.
   */
  async findOwners(md5: FileMd5, geometry: PartGeometry, name: string | null): Promise<Owner[]> {
    const verdict = await this.#geometryOf({ md5, geometry, name: name ?? '' });
    if (verdict === 'other' || (verdict === 'unknown' && this.#isOurs)) return [];
    return this.fchu(md5, geometry.partCount);
  }

  /** Asks to leave. When the tracker agrees the session is over, else nothing changes. */
  async logout(): Promise<Logout> {
    const outcome = await this.#requests.logout();
    if (outcome.left) this.stop();
    return outcome;
  }

  /** Settles everything that is pending and leaves no socket and no timer. Idempotent. */
  stop(): void {
    this.#login.end(stopped(this.tracker));
    this.#attempt?.abort();
    this.#registrations.dropAll();
    this.#reports.stop();
    this.#withdrawals.stop();
    this.#pipeline.close();
  }

  stats() {
    return {
      tracker: nameOf(this.tracker),
      status: this.#login.status,
      lastError: this.#login.lastError?.message ?? null,
      logins: this.#login.logins,
      failedLogins: this.#login.failures,
      otherGeometry: this.#geometry.others,
      registrations: this.#registrations.stats(),
      reports: this.#reports.stats(),
      withdrawals: this.#withdrawals.stats(),
      requests: this.#requests.stats(),
      connections: this.#pipeline.stats(),
    };
  }

  /** Only our trackers keep connections (PROTOCOL.md §7.1). */
  get #isOurs(): boolean {
    return this.#pipeline.mode === 'kept';
  }

  async #logIn(): Promise<SessionId> {
    const { tracker, self, localAddress, clock } = this.#init;
    this.#attempt = new LoginAttempt({ tracker, self, localAddress, clock });
    const { session, self: announced, trackerIp } = await this.#attempt.run();
    this.#self = announced;
    this.#ip = trackerIp;
    return session;
  }

  #loggedIn(session: SessionId): void {
    const isNew = session !== this.#lastSession;
    if (isNew) {
      this.#init.logger.info({ tracker: nameOf(this.tracker) }, 'logged in');
      this.#geometry.clear();
      this.#requests.forgetHabits();
    }
    this.#lastSession = session;
    this.#withdrawals.loggedIn(isNew);
    this.#registrations.loggedIn(session);
    this.#reports.loggedIn(session, isNew);
    this.#init.attempted?.();
  }

  #loginFailed(error: OperationalError, isNews: boolean): void {
    if (isNews) this.#warn({ error: error.message }, 'tracker away');
    this.#init.attempted?.();
  }

  #isSelf(address: NodeAddress): boolean {
    const self = this.#self;
    return self !== null && self.port === address.port && hosts(address).some((ip) => sameHost(self, ip));
  }

  async #geometryOf(manifest: Manifest): Promise<GeometryVerdict> {
    const shown = await this.#geometry.byId(manifest);
    if (shown !== 'unknown' || this.#isOurs || manifest.name === '') return shown;
    return this.#geometry.byName(manifest);
  }

  #otherGeometry({ md5, name }: Manifest, kept: string): void {
    this.#reports.forget(md5);
    this.#warn({ md5, name, kept }, 'tracker keeps another geometry for the file: not used for it');
  }

  #warn(fields: object, message: string): void {
    this.#init.logger.warn({ tracker: nameOf(this.tracker), ...fields }, message);
  }

  #registrationTracker(): RegistrationTracker {
    const isOurs = () => this.#isOurs;
    const login = this.#login;
    return {
      get session() {
        return login.session;
      },
      get keepsConnections() {
        return isOurs();
      },
      withdrawalEnded: (md5) => this.#withdrawals.ended(md5),
      add: (manifest) => this.#claims.during([manifest.md5], () => this.#requests.add(manifest)),
      listsUs: async ({ md5, geometry }) => {
        const owners = await this.#requests.owners(md5, geometry.partCount, false);
        return owners.some(({ address, parts }) => this.#isSelf(address) && parts.isComplete);
      },
      reportAll: ({ md5, geometry }) => this.#reports.addAll(md5, geometry.partCount),
    };
  }

  #reportTracker(): ReportTracker {
    const isOurs = () => this.#isOurs;
    return {
      get keepsConnections() {
        return isOurs();
      },
      mayReport: (md5) => !this.#withdrawals.holds(md5),
      report: (report) => this.#claims.during([report.md5], () => this.#requests.report(report)),
      reportMany: (reports) => {
        const files = reports.map(({ md5 }) => md5);
        const ask = () => this.#requests.reportMany(reports);
        return this.#claims.during(files, ask, (told) => files.slice(0, told));
      },
    };
  }

  #withdrawalTracker(): WithdrawalTracker {
    const login = this.#login;
    return {
      get isLoggedIn() {
        return login.status === 'logged-in';
      },
      withdraw: (md5) => this.#requests.withdraw(md5),
      cleared: () => this.#reports.goOn(),
    };
  }
}
