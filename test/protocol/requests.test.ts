import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from '../../src/core/errors.js';
import { encodeRequest } from '../../src/protocol/encode.js';
import { MAX_REQUEST } from '../../src/protocol/limits.js';
import type { Request } from '../../src/protocol/messages.js';
import { REQUEST_LENGTH, RequestDecoder } from '../../src/protocol/requests.js';
import { requests, SEEDED } from '../support/arbitraries.js';
import { piecesOf } from '../support/bytes.js';

const MD5 = 'bbf1c77538f97ceeb1e03126edaa3594';
const SESSION = '7A3F00BC91D2E845';

/** Pushes each piece and takes every request out before the next one, as a listener does. */
function decodeAll(decoder: RequestDecoder, pieces: readonly Uint8Array[]): Request[] {
  const decoded: Request[] = [];
  for (const piece of pieces) {
    decoder.push(piece);
    for (let request = decoder.next(); request !== null; request = decoder.next()) decoded.push(request);
    assert.ok(decoder.pending < MAX_REQUEST);
  }
  return decoded;
}

function decodeText(text: string): Request | null {
  const decoder = new RequestDecoder();
  decoder.push(Buffer.from(text));
  return decoder.next();
}

function refusedWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProtocolError && error.code === code;
}

test('every request comes back as it was encoded', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const bytes = encodeRequest(request);
      assert.equal(bytes.length, REQUEST_LENGTH[request.command]);
      assert.deepEqual(decodeAll(new RequestDecoder(), [bytes]), [request]);
    }),
    SEEDED,
  );
});

test('a request comes whole out of two pieces, wherever it is split', () => {
  for (const request of fc.sample(requests, { seed: SEEDED.seed, numRuns: 60 })) {
    const bytes = encodeRequest(request);
    for (let border = 0; border <= bytes.length; border++) {
      const decoder = new RequestDecoder();
      assert.deepEqual(decodeAll(decoder, piecesOf(bytes, [border])), [request]);
      assert.equal(decoder.pending, 0);
    }
  }
});

test('two requests come out of any three pieces', () => {
  const first: Request = { command: 'CAPS' };
  const second = { command: 'LOGO', session: SESSION } as Request;
  const bytes = Buffer.concat([encodeRequest(first), encodeRequest(second)]);
  for (let a = 0; a <= bytes.length; a++) {
    for (let b = a; b <= bytes.length; b++) {
      assert.deepEqual(decodeAll(new RequestDecoder(), piecesOf(bytes, [a, b])), [first, second]);
    }
  }
});

test('pipelined requests come out in order, however the stream breaks', () => {
  const streams = fc.tuple(fc.array(requests, { maxLength: 8 }), fc.array(fc.nat(1200), { maxLength: 12 }));
  fc.assert(
    fc.property(streams, ([sent, borders]) => {
      const bytes = Buffer.concat(sent.map(encodeRequest));
      assert.deepEqual(decodeAll(new RequestDecoder(), piecesOf(bytes, borders)), sent);
    }),
    SEEDED,
  );
});

test('requests that wait while more bytes are pushed keep their order', () => {
  fc.assert(
    fc.property(
      fc.array(requests, { maxLength: 8 }),
      fc.array(fc.nat(1200), { maxLength: 12 }),
      (sent, borders) => {
        const decoder = new RequestDecoder();
        for (const piece of piecesOf(Buffer.concat(sent.map(encodeRequest)), borders)) decoder.push(piece);
        assert.deepEqual(decodeAll(decoder, [new Uint8Array(0)]), sent);
      },
    ),
    SEEDED,
  );
});

test('what was kept does not change when the socket reuses its memory', () => {
  const bytes = Buffer.from(`FCHU${SESSION}${MD5}`);
  const memory = Buffer.from(bytes.subarray(0, 30));
  const decoder = new RequestDecoder();
  decoder.push(memory);
  assert.equal(decoder.next(), null);
  memory.fill(0);
  decoder.push(bytes.subarray(30));
  assert.deepEqual(decoder.next(), { command: 'FCHU', session: SESSION, md5: MD5 });
});

test('any bytes give requests or a protocol error, and what is kept stays bounded', () => {
  const commands = fc.constantFrom(...Object.keys(REQUEST_LENGTH)).map((command) => Buffer.from(command));
  const likely = fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.map((byte) => 0x30 + (byte % 10)));
  const pieces = fc.array(fc.oneof(commands, likely, fc.uint8Array({ maxLength: 300 })), { maxLength: 20 });
  fc.assert(
    fc.property(pieces, (stream) => {
      const decoder = new RequestDecoder();
      try {
        decodeAll(decoder, stream);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
        assert.ok(error.code === 'UNKNOWN_COMMAND' || error.code === 'MALFORMED');
        assert.equal(decoder.pending, 0);
      }
    }),
    { ...SEEDED, numRuns: 1000 },
  );
});

test('a damaged request is a request or a protocol error', () => {
  fc.assert(
    fc.property(requests, fc.nat(), fc.nat(255), (request, where, byte) => {
      const bytes = encodeRequest(request);
      bytes[where % bytes.length] = byte;
      try {
        const decoded = decodeAll(new RequestDecoder(), [bytes]);
        for (const one of decoded) assert.ok(one.command in REQUEST_LENGTH);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { ...SEEDED, numRuns: 1000 },
  );
});

test('an unknown command shows at its fourth byte', () => {
  const decoder = new RequestDecoder();
  decoder.push(Buffer.from('GET'));
  assert.equal(decoder.next(), null);
  decoder.push(Buffer.from(' '));
  assert.throws(() => decoder.next(), refusedWith('UNKNOWN_COMMAND'));
});

test('commands are capitals', () => {
  assert.throws(() => decodeText(`logo${SESSION}`), refusedWith('UNKNOWN_COMMAND'));
});

test('after an error the connection gives nothing more and keeps nothing', () => {
  const decoder = new RequestDecoder();
  decoder.push(Buffer.from('CAPSNOPE'));
  assert.deepEqual(decoder.next(), { command: 'CAPS' });
  assert.throws(() => decoder.next(), refusedWith('UNKNOWN_COMMAND'));
  decoder.push(Buffer.from('CAPS'));
  assert.throws(() => decoder.next(), refusedWith('UNKNOWN_COMMAND'));
  assert.equal(decoder.pending, 0);
});

test('a Filemd5 in upper case is given in lower case', () => {
  assert.deepEqual(decodeText(`MIDS${MD5.toUpperCase()}`), { command: 'MIDS', md5: MD5 });
});

test('ids that come again, change and come in capitals are read as they stand', () => {
  const other = { session: 'ZYXWVUTSRQPON987' as typeof SESSION, md5: MD5.replace(/.$/, '0') as typeof MD5 };
  const asked = [SESSION, SESSION, other.session, SESSION].flatMap((session) =>
    [MD5, MD5, other.md5, MD5].map((md5) => ({ command: 'RPAD' as const, session, md5, part: 7 })),
  );
  const texts = asked.map(
    ({ session, md5 }, i) => `RPAD${session}${i % 3 === 0 ? md5.toUpperCase() : md5}00000007`,
  );
  assert.deepEqual(decodeAll(new RequestDecoder(), [Buffer.from(texts.join(''))]), asked);
});

test('a part number is taken as it is: whether the part exists is known elsewhere', () => {
  assert.deepEqual(decodeText(`RETP${MD5}99999999`), { command: 'RETP', md5: MD5, part: 99_999_999 });
});

test('a name that is no UTF-8 is read with replacement characters', () => {
  const bytes = encodeRequest({ command: 'LOOK', session: SESSION, text: 'a?b' } as Request);
  bytes[bytes.indexOf('?')] = 0xff;
  assert.deepEqual(decodeAll(new RequestDecoder(), [bytes]), [
    { command: 'LOOK', session: SESSION, text: 'a\ufffdb' },
  ]);
});

test('only blanks at the end of a text are padding', () => {
  const decoded = decodeText(`LOOK${SESSION}${'  two  words\t'.padEnd(20)}`);
  assert.deepEqual(decoded, { command: 'LOOK', session: SESSION, text: '  two  words\t' });
});

const rest = `${'name'.padEnd(100)}${MD5}`;
for (const [why, text] of [
  ['a session in lower case', `LOGO${SESSION.toLowerCase()}`],
  ['a Filemd5 with a letter after f', `MIDS${MD5.slice(1)}g`],
  ['a part number with a sign', `RETP${MD5}-0000001`],
  ['a part number with a blank', `RETP${MD5}       1`],
  ['a part number with an exponent', `RETP${MD5}000001e3`],
  ['a file size with a point', `ADDR${SESSION}00000100.0004096${rest}`],
  ['a part size that is no number', `ADDR${SESSION}0000010000   4096${rest}`.slice(0, 168)],
  ['a part size of 0', `ADDR${SESSION}0000010000000000${rest}`],
  ['an octet above 255', `LOGI172.016.001.256|fd77:0000:0000:0000:0000:0000:0000:000205000`],
  ['a port above 65535', `LOGI172.016.001.002|fd77:0000:0000:0000:0000:0000:0000:000265536`],
  ['a port that is no number', `LOGI172.016.001.002|fd77:0000:0000:0000:0000:0000:0000:0002 5000`],
  [
    'a time to live that is no number',
    `NEAR${SESSION}172.016.001.002|fd77:0000:0000:0000:0000:0000:0000:000205000-1`,
  ],
] as const) {
  test(`${why} is malformed`, () => {
    assert.throws(() => decodeText(text), refusedWith('MALFORMED'));
  });
}
