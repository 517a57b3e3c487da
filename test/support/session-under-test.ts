import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Logger } from '../../src/core/logger.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5 } from '../../src/model/ids.js';
import type { Manifest } from '../../src/model/manifest.js';
import { selfAddress } from '../../src/swarm/self-address.js';
import { TrackerSession } from '../../src/swarm/tracker-session.js';
import { FakeTracker } from './fake-tracker.js';
import { ManualClock } from './manual-clock.js';

export const PEER_PORT = 5001;

/** A fake tracker that is stopped after the test, which fails if a base node could not have read what came. */
export async function fakeTracker(t: TestContext): Promise<FakeTracker> {
  const tracker = await new FakeTracker().start();
  t.after(async () => {
    await tracker.stop();
    assert.deepEqual(tracker.violations, []);
  });
  return tracker;
}

/** A session with a clock that only the test moves; after the test it must leave no timer and no connection. */
export class SessionUnderTest {
  readonly clock = new ManualClock();
  readonly warnings: string[] = [];
  readonly session: TrackerSession;
  attempts = 0;
  #watchers: (() => void)[] = [];

  constructor(
    t: TestContext,
    tracker: FakeTracker,
    announce: { v4: string; v6: string | null } | null = null,
  ) {
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: (_fields, message) => this.warnings.push(message),
      error: () => {},
    };
    this.session = new TrackerSession({
      tracker: { host: '127.0.0.1', port: tracker.port },
      self: selfAddress({ announce, port: () => PEER_PORT }),
      clock: this.clock,
      random: () => 0.5,
      logger,
      attempted: () => {
        this.attempts++;
        for (const tell of this.#watchers.splice(0)) tell();
      },
    });
    t.after(async () => {
      this.session.stop();
      assert.deepEqual(this.clock.pending, [], 'a timer was left');
      await tracker.until(() => tracker.openConnections === 0);
    });
  }

  /** Resolves when so many attempts to log in have ended. */
  async attempted(count: number): Promise<void> {
    while (this.attempts < count) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }
}

/** A file of `partCount` parts of 100 bytes, the last one shorter; its Filemd5 begins with `digits` over and over. */
export function file(digits: string, partCount: number, name = `file ${digits}.bin`): Manifest {
  const md5 = `${''.padEnd(8, digits)}0123456789abcdef01234567` as FileMd5;
  return { md5, name, geometry: partGeometry(partCount * 100 - 10, 100) };
}

/** The manifest as the fake tracker's `publish` wants it. */
export function published({ md5, name, geometry }: Manifest) {
  return { md5, name, fileSize: geometry.fileSize, partSize: geometry.partSize };
}

/** The numbers from 0 to `count` - 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
