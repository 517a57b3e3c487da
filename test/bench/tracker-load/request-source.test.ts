import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AnswerReader } from '../../../bench/tracker-load/answer-reader.js';
import {
  KINDS,
  type Kind,
  LONGEST_REQUEST,
  type Mix,
  REQUEST_BYTES,
  RequestSource,
} from '../../../bench/tracker-load/request-source.js';
import { PartList } from '../../../src/model/part-list.js';
import {
  encodeAddress,
  encodeAfch,
  encodeAlgi,
  encodeAloo,
  encodeApad,
} from '../../../src/protocol/encode.js';
import type { Request } from '../../../src/protocol/messages.js';
import { RequestDecoder } from '../../../src/protocol/requests.js';
import { fileMd5, peerAddress, sessionId } from '../../contracts/tracker-values.js';

const POPULATION = { files: 300, peers: 5, parts: 4 };

/** The next requests of a source, as a tracker decodes them; chance goes evenly over [0, 1). */
function requestsOf(mix: Mix, count: number): Request[] {
  const source = new RequestSource({
    population: POPULATION,
    mix,
    session: sessionId(1),
    number: 0,
    ip: '127.0.0.1',
  });
  const decoder = new RequestDecoder();
  return Array.from({ length: count }, (_, i) => {
    const bytes = Buffer.alloc(LONGEST_REQUEST);
    const kind = source.write(bytes, 0, i / count);
    decoder.push(bytes.subarray(0, REQUEST_BYTES[kind]));
    const request = decoder.next()!;
    assert.equal(request.command, KINDS[kind]);
    return request;
  });
}

describe('source of requests', () => {
  test('asks in the ratios of its mix', () => {
    const commands = requestsOf([1, 2, 3, 4], 100).map(({ command }) => command);
    const counts = KINDS.map((kind) => commands.filter((command) => command === kind).length);
    assert.deepEqual(counts, [10, 20, 30, 40]);
  });

  test('reports each part of a file once, then goes to the next file, outside the swarms', () => {
    const reported = requestsOf([0, 0, 0, 1], 800).map((request) => {
      assert.equal(request.command, 'RPAD');
      return request.command === 'RPAD' ? `${request.md5} ${request.part}` : '';
    });
    assert.equal(new Set(reported).size, 800);
    const swarmed = new Set(
      requestsOf([0, 0, 1, 0], 100).map((request) => (request.command === 'FCHU' ? request.md5 : '')),
    );
    assert.ok(reported.every((each) => !swarmed.has(each.slice(0, 32) as never)));
  });
});

describe('reader of answers', () => {
  const parts = PartList.full(POPULATION.parts).bytes;
  const owner = { address: encodeAddress(peerAddress('10.0.0.1')), parts };
  const found = { md5: fileMd5(1), name: 'a', fileSize: 4, partSize: 1 };
  const answers: [Kind, Buffer][] = [
    [0, encodeAlgi(sessionId(1))],
    [1, encodeAloo([found, found])],
    [1, encodeAloo([])],
    [2, encodeAfch(POPULATION.parts, [owner, owner, owner])],
    [3, encodeApad(3)],
  ];

  for (const piece of [1, 6, 7, 50, 10_000]) {
    test(`finds the ends of answers that come in pieces of ${piece} bytes`, () => {
      const bytes = Buffer.concat(answers.map(([, answer]) => answer));
      const reader = new AnswerReader(POPULATION.parts);
      const seen: [Kind, number][] = [];
      for (let at = 0; at < bytes.length; at += piece) {
        reader.push(
          bytes.subarray(at, at + piece),
          () => answers[seen.length]![0],
          (kind, length) => seen.push([kind, length]),
        );
      }
      assert.deepEqual(
        seen,
        answers.map(([kind, answer]) => [kind, answer.length]),
      );
    });
  }

  test('a wrong answer is an error', () => {
    const reader = new AnswerReader(POPULATION.parts);
    assert.throws(() => reader.push(encodeApad(3), () => 2, assert.fail), /answered 'APAD/);
  });
});
