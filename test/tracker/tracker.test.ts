import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { OperationalError } from '../../src/core/errors.js';
import { parseFileMd5, parseSessionId } from '../../src/model/ids.js';
import type { Request } from '../../src/protocol/messages.js';
import { RequestDecoder } from '../../src/protocol/requests.js';
import { STORE_LIMITS } from '../../src/tracker/limits.js';
import { MemoryStore } from '../../src/tracker/memory-store.js';
import { fileMd5, peerAddress, sessionId, sharedFile } from '../contracts/tracker-values.js';
import { distant, makeTracker, TrackedPeer } from './tracked-peer.js';

const vectors: Record<string, string> = JSON.parse(
  readFileSync('test/fixtures/vectors.json', 'utf8'),
).messages;
const SESSION = '7A3F00BC91D2E845';

/** Draws that give SESSION first and then others. */
function sessionDraws(): (count: number) => Uint8Array {
  let draws = 0;
  return (count) => {
    draws += 1;
    return Uint8Array.from({ length: count }, (_, at) => Number.parseInt(SESSION[at]!, 36) + draws - 1);
  };
}

function vector(name: string): Request {
  const decoder = new RequestDecoder();
  decoder.push(Buffer.from(vectors[name]!, 'latin1'));
  const request = decoder.next();
  assert.ok(request !== null);
  return request;
}

for (const [kind, store] of [
  ['answers in the same turn', () => new MemoryStore()],
  ['answers later', () => distant(new MemoryStore())],
] as const) {
  test(`over a store that ${kind} it answers the vectors byte for byte`, async () => {
    const tracker = makeTracker({
      store: store(),
      randomBytes: sessionDraws(),
      trustAnnouncedAddresses: true,
    });
    const peer = new TrackedPeer(tracker, peerAddress('172.16.1.2', 5000, 'fd77::2'));
    const answer = async (request: Request) =>
      Buffer.from((await peer.send(request)) ?? '').toString('latin1');
    const other = new TrackedPeer(tracker, peerAddress('10.0.0.9'));

    assert.equal(await answer(vector('LOGI')), vectors.ALGI);
    assert.equal(await answer(vector('LOOK')), vectors.ALOO_none);
    assert.equal(await answer(vector('ADDR')), vectors.AADR);
    assert.equal(await answer(vector('LOOK')), vectors.ALOO);
    await other.logIn();
    const md5 = parseFileMd5('bbf1c77538f97ceeb1e03126edaa3594')!;
    const owners = await other.send({ command: 'FCHU', session: other.session, md5 });
    assert.equal(Buffer.from(owners ?? '').toString('hex'), vectors.AFCH_hex);
    assert.equal(await answer(vector('FCHU')), 'AFCH000');
    assert.equal(
      Buffer.from(
        (await other.send({ ...vector('RPAD'), session: other.session } as Request)) ?? '',
      ).toString(),
      vectors.APAD,
    );
    assert.equal(await answer(vector('LOGO')), vectors.NLOG);
    assert.equal(await other.rpad(md5, 0), 2);
    assert.equal(await other.rpad(md5, 1), 3);
    assert.equal(await answer(vector('LOGO')), vectors.ALOG);
    assert.equal(await answer(vector('LOGO')), '');
  });
}

describe('logging in', () => {
  test('an address of which neither half is the source is refused with sixteen zeros', async () => {
    const tracker = makeTracker();
    const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1', 5000, 'fd77::1'), '10.0.0.2');
    const answer = await peer.send({ command: 'LOGI', address: peer.address });
    assert.equal(Buffer.from(answer ?? '').toString(), vectors.ALGI_refused);
    assert.equal(tracker.stats().refusals.FOREIGN_ADDRESS, 1);
  });

  test('either half may be the source', async () => {
    const tracker = makeTracker();
    for (const ip of ['10.0.0.1', 'fd77::1']) {
      assert.equal(
        await new TrackedPeer(tracker, peerAddress('10.0.0.1', 5000, 'fd77::1'), ip).logIn(),
        true,
      );
    }
  });

  test('a tracker that trusts announced addresses takes any, but not none', async () => {
    const tracker = makeTracker({ trustAnnouncedAddresses: true });
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.1'), '127.0.0.1').logIn(), true);
    assert.equal(await new TrackedPeer(tracker, peerAddress(null), '127.0.0.1').logIn(), false);
    assert.equal(tracker.stats().refusals.NO_ADDRESS, 1);
  });

  test('a full tracker refuses with sixteen zeros', async () => {
    const tracker = makeTracker({ store: new MemoryStore({ ...STORE_LIMITS, sessions: 1 }) });
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.1')).logIn(), true);
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.2')).logIn(), false);
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.1')).logIn(), true);
    assert.equal(tracker.stats().refusals.SESSIONS_FULL, 1);
  });

  test('a random SessionID that is taken already is never given to a second session', async () => {
    const tracker = makeTracker({ randomBytes: (count) => new Uint8Array(count).fill(10) });
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.1')).logIn(), true);
    assert.equal(await new TrackedPeer(tracker, peerAddress('10.0.0.2')).logIn(), false);
    assert.equal(tracker.stats().refusals.SESSION_ID_TAKEN, 1);
  });

  test('owners behind one source address on different ports are different sessions', async () => {
    const tracker = makeTracker();
    const file = sharedFile(1, 'salted, one id each');
    const other = sharedFile(2, 'salted, one id each');
    const [a, b, asker] = [5001, 5002, 5003].map(
      (port) => new TrackedPeer(tracker, peerAddress('127.0.0.1', port)),
    );
    for (const peer of [a!, b!, asker!]) assert.equal(await peer.logIn(), true);
    assert.notEqual(a!.session, b!.session);
    await a!.addr(file);
    await b!.addr(other);
    assert.deepEqual(
      (await asker!.fchu(file))?.map((owner) => owner.address.port),
      [5001],
    );
    assert.deepEqual(
      (await asker!.fchu(other))?.map((owner) => owner.address.port),
      [5002],
    );
    assert.deepEqual(
      (await b!.fchu(file))?.map((owner) => owner.address.port),
      [5001],
    );
  });
});

describe('owners', () => {
  const file = sharedFile(1, 'a', 9);

  test('AFCH names the other half of an address only after a request came from it', async () => {
    const tracker = makeTracker();
    const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1', 5000, 'fd77::1'));
    const asker = new TrackedPeer(tracker, peerAddress('10.0.0.9'));
    await peer.logIn();
    await asker.logIn();
    await peer.addr(file);
    const seen = async () => (await asker.fchu(file))?.map((owner) => owner.address);
    assert.deepEqual(await seen(), [peerAddress('10.0.0.1')]);
    peer.ip = 'fd77::1';
    await peer.look('');
    assert.deepEqual(await seen(), [peerAddress('10.0.0.1', 5000, 'fd77::1')]);
  });

  test('a login from the IPv6 half hides the IPv4 half until that is proven', async () => {
    const tracker = makeTracker();
    const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1', 5000, 'fd77::1'), 'fd77::1');
    const asker = new TrackedPeer(tracker, peerAddress('10.0.0.9'));
    await peer.logIn();
    await asker.logIn();
    await peer.addr(file);
    const seen = async () => (await asker.fchu(file))?.map((owner) => owner.address);
    assert.deepEqual(await seen(), [peerAddress(null, 5000, 'fd77::1')]);
    peer.ip = '10.0.0.1';
    assert.equal(await peer.rpad(fileMd5(99), 0), null);
    assert.deepEqual(await seen(), [peerAddress('10.0.0.1', 5000, 'fd77::1')]);
  });

  test('a tracker that trusts announced addresses names both halves at once', async () => {
    const tracker = makeTracker({ trustAnnouncedAddresses: true });
    const peer = new TrackedPeer(tracker, peerAddress('172.16.0.1', 5000, 'fd77::1'), '10.0.0.1');
    const asker = new TrackedPeer(tracker, peerAddress('10.0.0.9'));
    await peer.logIn();
    await asker.logIn();
    await peer.addr(file);
    assert.deepEqual(
      (await asker.fchu(file))?.map((owner) => owner.address),
      [peer.address],
    );
  });

  test('more than 999 owners: a sample with everyone who alone owns a part', async () => {
    const store = new MemoryStore();
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const tracker = makeTracker({ store, random, randomBytes: countedBytes() });
    const source = new TrackedPeer(tracker, peerAddress('10.0.0.1'));
    await source.logIn();
    await source.addr(file);
    for (let n = 0; n < 1200; n += 1) {
      const peer = new TrackedPeer(tracker, peerAddress(`10.1.${n >> 8}.${n & 255}`));
      await peer.logIn();
      await peer.rpad(file.md5, n === 700 ? 8 : n % 8);
    }
    store.dropSession(source.session, 0);
    const asker = new TrackedPeer(tracker, peerAddress('10.0.0.9'));
    await asker.logIn();
    const samples = [await asker.fchu(file), await asker.fchu(file)].map((owners) => {
      assert.equal(owners?.length, 999);
      return new Set(owners.map((owner) => owner.address.v4));
    });
    for (const sample of samples) {
      assert.equal(sample.size, 999);
      assert.ok(sample.has('10.1.2.188'), 'the only one with part 8');
    }
    assert.notDeepEqual(samples[0], samples[1]);
  });
});

test('more than 999 matches: the 999 with the most owners', async () => {
  const tracker = makeTracker();
  const [a, b] = [
    new TrackedPeer(tracker, peerAddress('10.0.0.1')),
    new TrackedPeer(tracker, peerAddress('10.0.0.2')),
  ];
  await a.logIn();
  await b.logIn();
  for (let n = 0; n < 1500; n += 1) await a.addr(sharedFile(n, `file ${n}`));
  for (let n = 1000; n < 1500; n += 1) await b.rpad(fileMd5(n), 0);
  const names = (await a.look('*')) ?? [];
  assert.equal(names.length, 999);
  assert.deepEqual(
    new Set(names.slice(0, 500)),
    new Set(Array.from({ length: 500 }, (_, n) => `file ${n + 1000}`)),
  );
});

test('the part count of a first registration is answered, another size is refused', async () => {
  const tracker = makeTracker();
  const [a, b] = [
    new TrackedPeer(tracker, peerAddress('10.0.0.1')),
    new TrackedPeer(tracker, peerAddress('10.0.0.2')),
  ];
  await a.logIn();
  await b.logIn();
  assert.equal(await a.addr(sharedFile(1, 'a', 4, 1000)), 4);
  assert.equal(await b.addr(sharedFile(1, 'a', 2, 2000)), 4);
  assert.equal(await b.addr(sharedFile(1, 'a', 3, 1000)), null);
  assert.equal(tracker.stats().refusals.OTHER_SIZE, 1);
});

test('a logout that owned more parts than ten digits hold says the largest number', async () => {
  const store = new MemoryStore();
  const tracker = makeTracker({ store });
  const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1'));
  const keeper = new TrackedPeer(tracker, peerAddress('10.0.0.2'));
  await peer.logIn();
  await keeper.logIn();
  for (let n = 0; n < 40_000; n += 1) {
    const file = sharedFile(n, 'x', 262_144, 1);
    await peer.addr(file);
    await keeper.addr(file);
  }
  assert.deepEqual(await peer.logo(), { left: true, parts: 9_999_999_999 });
});

describe('withdrawing', () => {
  test('DELR answers how many parts were given up, and later askers are not sent there', async () => {
    for (const store of [new MemoryStore(), distant(new MemoryStore())]) {
      const tracker = makeTracker({ store });
      const file = sharedFile(1, 'a', 9);
      const [source, leech] = [
        new TrackedPeer(tracker, peerAddress('10.0.0.1')),
        new TrackedPeer(tracker, peerAddress('10.0.0.2')),
      ];
      await source.logIn();
      await leech.logIn();
      await source.addr(file);
      await leech.rpad(file.md5, 4);
      assert.equal(await source.delr(file.md5), 9);
      assert.deepEqual(await leech.fchu(file), []);
      assert.deepEqual(await source.logo(), { left: true, parts: 0 }, 'it sources nothing any more');
      assert.equal(await leech.delr(file.md5), 1);
      assert.equal(await leech.fchu(file), null, 'nobody has it: it is unknown');
    }
  });

  test('CAPS says that connections are kept and that DELR is known, also before a login', async () => {
    const stranger = new TrackedPeer(makeTracker(), peerAddress('10.0.0.1'));
    const answer = await stranger.send({ command: 'CAPS' });
    assert.equal(Buffer.from(answer ?? '').toString(), 'ACAP004KEEPDELRQUERQFIL');
  });
});

describe('refusals', () => {
  const session = parseSessionId(SESSION)!;
  const md5 = fileMd5(1);
  const address = peerAddress('10.0.0.1');

  test('an unknown session is refused, whatever it asks', async () => {
    const tracker = makeTracker();
    const peer = new TrackedPeer(tracker, address);
    const requests: Request[] = [
      { command: 'ADDR', session, md5, name: 'a', fileSize: 1, partSize: 1 },
      { command: 'LOOK', session, text: '*' },
      { command: 'LOOK', session, text: '' },
      { command: 'FCHU', session, md5 },
      { command: 'RPAD', session, md5, part: 0 },
      { command: 'LOGO', session },
      { command: 'DELR', session, md5 },
    ];
    for (const request of requests) assert.equal(await peer.send(request), null);
    assert.equal(tracker.stats().refusals.UNKNOWN_SESSION, requests.length);
  });

  test('a command that is not for a tracker is refused', async () => {
    const tracker = makeTracker();
    const peer = new TrackedPeer(tracker, address);
    await peer.logIn();
    const requests: Request[] = [
      { command: 'RETP', md5, part: 0 },
      { command: 'MIDS', md5 },
    ];
    for (const request of requests) assert.equal(await peer.send(request), null);
    assert.equal(tracker.stats().refusals.UNKNOWN_COMMAND, requests.length);
    assert.deepEqual(tracker.stats().requests.other, { refused: requests.length });
  });

  test('files too large, without a part size or in too many parts are refused', async () => {
    const tracker = makeTracker();
    const peer = new TrackedPeer(tracker, address);
    await peer.logIn();
    const addr = { command: 'ADDR', session: peer.session, md5, name: 'a' } as const;
    assert.equal(await peer.send({ ...addr, fileSize: 262_145, partSize: 1 }), null);
    assert.equal(await peer.send({ ...addr, fileSize: 1, partSize: 0 }), null);
    assert.ok((await peer.send({ ...addr, fileSize: 262_144, partSize: 1 })) !== null);
    assert.equal(tracker.stats().refusals.GEOMETRY, 2);
  });

  test('each refusal is counted by its command and its reason, each answer by its result', async () => {
    const limits = { ...STORE_LIMITS, files: 1, ownerships: 2 };
    const tracker = makeTracker({ store: new MemoryStore(limits) });
    const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(
      (ip) => new TrackedPeer(tracker, peerAddress(ip)),
    );
    for (const peer of [a!, b!, c!]) await peer.logIn();
    await a!.addr(sharedFile(1, 'a', 2));
    assert.equal(await a!.addr(sharedFile(2, 'b')), null);
    assert.equal(await b!.rpad(fileMd5(1), 2), null);
    assert.equal(await b!.rpad(fileMd5(9), 0), null);
    assert.equal(await b!.fchu(sharedFile(9, '')), null);
    assert.equal(await b!.rpad(fileMd5(1), 1), 1);
    assert.equal(await c!.rpad(fileMd5(1), 1), null);
    assert.deepEqual(await c!.look('a'), ['a']);
    assert.equal((await c!.fchu(sharedFile(1, 'a', 2)))?.length, 2);
    assert.equal(await c!.delr(fileMd5(1)), 0);
    assert.equal(await c!.delr(fileMd5(9)), null);
    assert.ok((await c!.send({ command: 'CAPS' })) !== null);
    assert.deepEqual(await a!.logo(), { left: false, parts: 1 });
    assert.deepEqual(await b!.logo(), { left: true, parts: 1 });
    b!.session = sessionId(1);
    assert.equal(await b!.logo(), null);
    const { requests, refusals } = tracker.stats();
    assert.deepEqual(requests, {
      LOGI: { ALGI: 3, refused: 0 },
      ADDR: { AADR: 1, refused: 1 },
      LOOK: { ALOO: 1, refused: 0 },
      FCHU: { AFCH: 1, refused: 1 },
      RPAD: { APAD: 1, refused: 3 },
      LOGO: { ALOG: 1, NLOG: 1, refused: 1 },
      DELR: { ADEL: 1, refused: 1 },
      CAPS: { ACAP: 1, refused: 0 },
      other: { refused: 0 },
    });
    const counted = Object.fromEntries(Object.entries(refusals).filter(([, count]) => count > 0));
    assert.deepEqual(counted, {
      FILES_FULL: 1,
      OWNERSHIPS_FULL: 1,
      PART_OUT_OF_RANGE: 1,
      UNKNOWN_FILE: 3,
      UNKNOWN_SESSION: 1,
    });
  });
});

test('a request is answered in the same turn when the store answers in the same turn', async () => {
  const tracker = makeTracker();
  const answer = tracker.handle({ command: 'LOGI', address: peerAddress('10.0.0.1') }, { ip: '10.0.0.1' });
  assert.ok(answer instanceof Uint8Array);
});

/** Different bytes at each draw, for thousands of SessionIDs. */
function countedBytes(): (count: number) => Uint8Array {
  let drawn = 0;
  return (count) => {
    drawn += 1;
    return Uint8Array.from({ length: count }, (_, at) => Math.floor(drawn / 36 ** at) % 36);
  };
}

test('what a store that is away would be needed for is refused and counted, and the rest is answered', async () => {
  const away = async () => {
    throw new OperationalError('network', 'STORE_AWAY', 'the store cannot be reached');
  };
  const tracker = makeTracker({ store: { ...distant(new MemoryStore()), findFiles: away, isAway: true } });
  const peer = new TrackedPeer(tracker, peerAddress('10.0.0.1'));
  await peer.logIn();
  assert.equal(await peer.look('*'), null);
  assert.ok((await peer.send({ command: 'CAPS' })) !== null);
  const { refusals, requests } = tracker.stats();
  assert.equal(refusals.STORE_AWAY, 1);
  assert.equal(requests.LOOK.refused, 1);
});
