import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatIpp2p, parseIpp2p } from '../../src/model/address.js';
import { type FileMd5, type PacketId, REFUSED_SESSION, type SessionId } from '../../src/model/ids.js';
import { PartList } from '../../src/model/part-list.js';
import type { AnswerDecoder } from '../../src/protocol/answer-decoder.js';
import {
  decodeAadr,
  decodeAcap,
  decodeAdel,
  decodeAfch,
  decodeAlgi,
  decodeAloo,
  decodeAmid,
  decodeApad,
  decodeLogout,
} from '../../src/protocol/answers.js';
import {
  encodeAadr,
  encodeAcap,
  encodeAdel,
  encodeAlgi,
  encodeAlog,
  encodeAloo,
  encodeAmid,
  encodeApad,
  encodeNlog,
  encodeRequest,
} from '../../src/protocol/encode.js';
import { AREP_HEADER, chunkHeader, frameHeader, frameLength } from '../../src/protocol/frame.js';
import type { Request } from '../../src/protocol/messages.js';
import { REQUEST_LENGTH, RequestDecoder } from '../../src/protocol/requests.js';
import { afchOf } from '../support/owner-records.js';

const COPY = 'test/fixtures/vectors.json';
const ORIGINAL = '../shared/vectors.json';

interface Vectors {
  readonly ipp2p: readonly { v4: string; v6: string | null; wire: string }[];
  readonly messages: Readonly<Record<string, string>>;
  readonly partLists: readonly { parts: number; owned: number[]; hex: string }[];
  readonly midstates: readonly { length: number; states: string[] }[];
}

const vectors: Vectors = JSON.parse(readFileSync(COPY, 'utf8'));

const session = '7A3F00BC91D2E845' as SessionId;
const packet = '5D0C9E61AA72F3B4' as PacketId;
const md5 = 'bbf1c77538f97ceeb1e03126edaa3594' as FileMd5;
const address = { v4: '172.16.1.2', v6: 'fd77::2', port: 5000 };
const tracker = { ...address, port: 3000 };
const name = 'ten thousand.bin';
const file = { md5, name, fileSize: 10_000, partSize: 4096 };
const states = vectors.midstates.find(({ length }) => length === 10_000)!.states;

function wire(key: string): Buffer {
  const text = vectors.messages[key];
  assert.ok(text !== undefined, `no vector ${key}`);
  return Buffer.from(text, key.endsWith('_hex') ? 'hex' : 'latin1');
}

const requests: Request[] = [
  { command: 'LOGI', address },
  { command: 'ADDR', session, ...file },
  { command: 'LOOK', session, text: 'thousand' },
  { command: 'FCHU', session, md5 },
  { command: 'RPAD', session, md5, part: 2 },
  { command: 'RETP', md5, part: 2 },
  { command: 'LOGO', session },
  { command: 'QUER', packet, address, ttl: 3, text: 'thousand' },
  { command: 'AQUE', packet, address: tracker, md5, name },
  { command: 'NEAR', packet, address, ttl: 3 },
  { command: 'ANEA', packet, address: tracker },
  { command: 'MIDS', md5 },
  { command: 'DELR', session, md5 },
  { command: 'CAPS' },
];

interface AnswerVector {
  readonly key: string;
  readonly bytes: Buffer;
  readonly decoder: AnswerDecoder<unknown>;
  readonly value: unknown;
}

const owner = { address, parts: PartList.full(3) };
const answers: AnswerVector[] = [
  { key: 'ALGI', bytes: encodeAlgi(session), decoder: decodeAlgi(), value: session },
  { key: 'ALGI_refused', bytes: encodeAlgi(REFUSED_SESSION), decoder: decodeAlgi(), value: REFUSED_SESSION },
  { key: 'AADR', bytes: encodeAadr(3), decoder: decodeAadr(), value: 3 },
  { key: 'ALOO', bytes: encodeAloo([file]), decoder: decodeAloo(), value: [file] },
  { key: 'ALOO_none', bytes: encodeAloo([]), decoder: decodeAloo(), value: [] },
  { key: 'AFCH_hex', bytes: afchOf([owner]), decoder: decodeAfch(3), value: [owner] },
  { key: 'APAD', bytes: encodeApad(1), decoder: decodeApad(), value: 1 },
  { key: 'ALOG', bytes: encodeAlog(3), decoder: decodeLogout(), value: { left: true, parts: 3 } },
  { key: 'NLOG', bytes: encodeNlog(1), decoder: decodeLogout(), value: { left: false, parts: 1 } },
  {
    key: 'AMID_hex',
    bytes: encodeAmid(Buffer.from(states.join(''), 'hex')),
    decoder: decodeAmid(3),
    value: states.map((state) => new Uint8Array(Buffer.from(state, 'hex'))),
  },
  { key: 'ADEL', bytes: encodeAdel(3), decoder: decodeAdel(), value: 3 },
  {
    key: 'ACAP',
    bytes: encodeAcap(['KEEP', 'MIDS', 'DELR']),
    decoder: decodeAcap(),
    value: ['KEEP', 'MIDS', 'DELR'],
  },
];

test('the vectors are those the protocol comes with', {
  skip: existsSync(ORIGINAL) ? false : `${ORIGINAL} is not here to compare with`,
}, () => {
  assert.ok(readFileSync(COPY).equals(readFileSync(ORIGINAL)));
});

test('no message of the vectors is left out', () => {
  const tested = [...requests.map(({ command }) => command), ...answers.map(({ key }) => key)];
  assert.deepEqual([...tested, 'AREP_part2_chunk1000_hex'].sort(), Object.keys(vectors.messages).sort());
});

for (const request of requests) {
  test(`${request.command} has the bytes of its vector, both ways`, () => {
    const bytes = wire(request.command);
    assert.equal(REQUEST_LENGTH[request.command], bytes.length);
    assert.deepEqual(encodeRequest(request), bytes);
    const decoder = new RequestDecoder();
    decoder.push(bytes);
    assert.deepEqual(decoder.next(), request);
    assert.equal(decoder.next(), null);
  });
}

for (const { key, bytes, decoder, value } of answers) {
  test(`${key} has the bytes of its vector, both ways`, () => {
    assert.deepEqual(bytes, wire(key));
    assert.deepEqual(decoder.push(wire(key)), value);
    assert.equal(decoder.wanted, 0);
  });
}

test('the AREP of the vectors is laid out by the headers of a frame', () => {
  const [from, to, chunk] = [8192, 10_000, 1000];
  const content = Buffer.from(Array.from({ length: to - from }, (_, i) => (from + i) % 251));
  const laidOut = [frameHeader(Math.ceil(content.length / chunk))];
  for (let at = 0; at < content.length; at += chunk) {
    const data = content.subarray(at, at + chunk);
    laidOut.push(chunkHeader(data.length), data);
  }
  const frame = wire('AREP_part2_chunk1000_hex');
  assert.deepEqual(Buffer.concat(laidOut), frame);
  assert.equal(frame.length, frameLength(content.length, chunk));
  assert.equal(laidOut[0]!.length, AREP_HEADER);
});

test('the addresses of the vectors are written and read', () => {
  for (const { v4, v6, wire: text } of vectors.ipp2p) {
    assert.equal(formatIpp2p({ v4, v6 }), text);
    assert.deepEqual(parseIpp2p(text), { v4, v6 });
  }
});

test('the part lists of the vectors are written and read', () => {
  for (const { parts, owned, hex } of vectors.partLists) {
    const list = PartList.empty(parts);
    for (const part of owned) list.add(part);
    assert.equal(Buffer.from(list.bytes).toString('hex'), hex);
    assert.deepEqual([...PartList.fromBytes(Buffer.from(hex, 'hex'), parts)], owned);
  }
});
