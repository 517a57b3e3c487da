import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/core/logger.js';
import { provenBy } from '../../src/tracker/address-proof.js';
import { KEEPING_LIMITS } from '../../src/tracker/limits.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { type Probe, SessionKeeper, type SessionKeeperOptions } from '../../src/tracker/session-keeper.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../contracts/tracker-values.js';
import { ManualClock } from '../support/manual-clock.js';

const { silenceMs, roundMs } = KEEPING_LIMITS;

/** A tracker's sessions, and a network of which the test decides who is there. */
class Scene {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore();
  readonly listening = new Set<string>();
  readonly probed: string[] = [];
  readonly keeper: SessionKeeper;
  #sessions = 0;

  constructor(t: TestContext, options: Partial<SessionKeeperOptions> = {}) {
    const probe: Probe = async (host, port) => {
      this.probed.push(`${host}|${port}`);
      return this.listening.has(`${host}|${port}`);
    };
    const { store, clock } = this;
    this.keeper = new SessionKeeper({ store, clock, probe, logger: silentLogger, ...options });
    this.keeper.start();
    t.after(async () => {
      await this.keeper.stop();
      assert.deepEqual(clock.pending, [], 'no timer is left');
    });
  }

  logIn(v4: string, v6: string | null = null, ip = v4) {
    const address = peerAddress(v4, 5000, v6);
    this.#sessions += 1;
    const now = this.clock.now();
    const candidate = sessionId(this.#sessions);
    const outcome = this.store.logIn({ address, proven: provenBy(address, ip), candidate, now });
    assert.ok(typeof outcome !== 'string');
    return outcome.session;
  }

  get sessions(): number {
    return this.store.stats().sessions;
  }

  /** Lets so many rounds come and end. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round += 1) {
      this.clock.advance(roundMs);
      await this.clock.whenPending(roundMs, roundMs);
    }
  }
}

const SILENCE = silenceMs / roundMs;

describe('session keeper', () => {
  test('a peer that said something within 15 minutes is left alone', async (t) => {
    const scene = new Scene(t);
    scene.logIn('10.0.0.1');
    await scene.rounds(SILENCE - 1);
    assert.deepEqual(scene.probed, []);
    await scene.rounds(1);
    assert.deepEqual(scene.probed, ['10.0.0.1|5000']);
    assert.equal(SILENCE, 15);
  });

  test('a silent peer whose port is closed twice loses its session and what it owned', async (t) => {
    const scene = new Scene(t);
    const session = scene.logIn('10.0.0.1');
    scene.store.addFile({ session, ip: '10.0.0.1', now: 0 }, sharedFile(1, 'a'));
    await scene.rounds(SILENCE);
    assert.equal(scene.sessions, 1);
    assert.equal(scene.keeper.stats().suspects, 1);
    await scene.rounds(1);
    assert.deepEqual(scene.store.stats(), { sessions: 0, files: 0, ownerships: 0, partListBytes: 0 });
    assert.equal(scene.probed.length, 2);
    const { failed, sessionsDropped, suspects } = scene.keeper.stats();
    assert.deepEqual({ failed, sessionsDropped, suspects }, { failed: 2, sessionsDropped: 1, suspects: 0 });
  });

  test('a silent peer that can be reached keeps its session for another 15 minutes', async (t) => {
    const scene = new Scene(t);
    scene.logIn('10.0.0.1');
    scene.listening.add('10.0.0.1|5000');
    await scene.rounds(2 * SILENCE - 1);
    assert.equal(scene.probed.length, 1);
    await scene.rounds(1);
    assert.equal(scene.probed.length, 2);
    assert.equal(scene.sessions, 1);
    assert.equal(scene.keeper.stats().answered, 2);
  });

  test('one failure is forgotten once the peer is reached', async (t) => {
    const scene = new Scene(t);
    scene.logIn('10.0.0.1');
    await scene.rounds(SILENCE);
    scene.listening.add('10.0.0.1|5000');
    await scene.rounds(1);
    scene.listening.clear();
    await scene.rounds(SILENCE);
    assert.equal(scene.probed.length, 3);
    assert.equal(scene.sessions, 1, 'its one failure since then is not its second');
    await scene.rounds(1);
    assert.equal(scene.sessions, 0);
  });

  test('a peer that speaks after one failure starts over', async (t) => {
    const scene = new Scene(t);
    const session = scene.logIn('10.0.0.1');
    await scene.rounds(SILENCE);
    scene.store.addPart({ session, ip: '10.0.0.1', now: scene.clock.now() }, fileMd5(1), 0);
    await scene.rounds(SILENCE);
    assert.equal(scene.sessions, 1);
    await scene.rounds(1);
    assert.equal(scene.sessions, 0);
    assert.equal(scene.probed.length, 3);
  });

  test('a peer that speaks while its second probe runs is not dropped', async (t) => {
    let failure = () => {};
    const probe: Probe = () =>
      new Promise((resolve) => {
        failure = () => resolve(false);
      });
    const scene = new Scene(t, { probe });
    const session = scene.logIn('10.0.0.1');
    await scene.rounds(SILENCE - 1);
    for (const speaks of [false, true]) {
      scene.clock.advance(roundMs);
      await until(() => scene.keeper.stats().running === 1);
      if (speaks) scene.store.addPart({ session, ip: '10.0.0.1', now: scene.clock.now() }, fileMd5(1), 0);
      failure();
      await scene.clock.whenPending(roundMs, roundMs);
    }
    assert.equal(scene.keeper.stats().failed, 2);
    assert.equal(scene.sessions, 1);
  });

  test('only proven halves are connected to, and one that answers is enough', async (t) => {
    const scene = new Scene(t);
    const session = scene.logIn('10.0.0.1', 'fd77::1');
    scene.logIn('10.0.0.2', 'fd77::2');
    scene.store.addPart({ session, ip: 'fd77::1', now: 0 }, fileMd5(1), 0);
    scene.listening.add('fd77::1|5000').add('fd77::2|5000');
    await scene.rounds(SILENCE + 1);
    assert.deepEqual(scene.probed, ['10.0.0.1|5000', '10.0.0.2|5000', 'fd77::1|5000', '10.0.0.2|5000']);
    assert.equal(scene.sessions, 1);
  });

  test('no more probes run at once than its limit, and all the silent have their turn', async (t) => {
    let running = 0;
    let most = 0;
    const probe: Probe = async () => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return true;
    };
    const scene = new Scene(t, { probe, limits: { ...KEEPING_LIMITS, probesAtOnce: 3 } });
    for (let n = 0; n < 20; n += 1) scene.logIn(`10.0.0.${n}`);
    await scene.rounds(SILENCE);
    assert.equal(most, 3);
    assert.equal(scene.keeper.stats().answered, 20);
  });

  test('a round that the store fails is counted, and the next one comes all the same', async (t) => {
    const store = new MemoryStore();
    let away = true;
    const scene = new Scene(t, {
      store: {
        silentSessions: async (since, limit) => {
          if (away) throw new Error('the store is away');
          return store.silentSessions(since, limit);
        },
        keepSession: (session, now) => store.keepSession(session, now),
        dropSession: (session, since) => store.dropSession(session, since),
      },
    });
    store.logIn({ address: peerAddress('10.0.0.1'), proven: 1, candidate: sessionId(1), now: 0 });
    await scene.rounds(SILENCE);
    away = false;
    assert.equal(scene.keeper.stats().roundsFailed, SILENCE);
    await scene.rounds(2);
    assert.equal(store.stats().sessions, 0);
    assert.equal(scene.keeper.stats().roundsFailed, SILENCE);
  });

  test('stopping aborts running probes, waits for them and drops nobody', async (t) => {
    const probe: Probe = (_host, _port, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(false)));
    const scene = new Scene(t, { probe });
    scene.logIn('10.0.0.1');
    await scene.rounds(SILENCE - 1);
    scene.clock.advance(roundMs);
    await until(() => scene.keeper.stats().running === 1);
    await scene.keeper.stop();
    assert.deepEqual(scene.keeper.stats(), {
      running: 0,
      suspects: 0,
      answered: 0,
      failed: 0,
      sessionsDropped: 0,
      roundsFailed: 0,
    });
    assert.equal(scene.sessions, 1);
    assert.deepEqual(scene.clock.pending, []);
  });
});

/** Waits, turn by turn, until the condition holds; all that it waits for are promises settled already. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    if (condition()) return;
    await Promise.resolve();
  }
  assert.fail('the condition never came to hold');
}
