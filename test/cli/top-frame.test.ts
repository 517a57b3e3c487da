import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveSelection, partBar, type Snapshot, topFrame } from '../../src/cli/top-frame.js';
import { apiFile, apiFileDetails, apiStatus } from './api-samples.js';

const names = (count: number) => Array.from({ length: count }, (_, i) => `file ${i}`);
const idOf = (i: number) => i.toString(16).padStart(32, '0');

function snapshot(count: number, fields: Partial<Snapshot> = {}): Snapshot {
  const files = names(count).map((name, i) => apiFile({ name, md5: idOf(i) }));
  const owner = { parts: 8, complete: true, banned: false, rate: 2048 };
  const peer = { queued: 1, uploadRate: 1024, downloadRate: 0, waitedMs: 0 };
  return {
    status: apiStatus(),
    files: { total: count, offset: 0, limit: 200, files },
    details: apiFileDetails({ ...files[0], owners: [{ ...owner, address: '192.0.2.7:5000' }] }),
    slots: {
      ...{ total: 4, inUse: 1, queued: 2 },
      peers: [
        { ...peer, peer: '192.0.2.8:5000', state: 'slot', reason: 'optimistic' },
        { ...peer, peer: '192.0.2.9:5000', state: 'waiting', reason: null, waitedMs: 61_000 },
      ],
    },
    ...fields,
  };
}

test('a frame shows rates, files, the parts and owners of one, and who has the slots and why', () => {
  const text = topFrame(snapshot(2), { columns: 100, rows: 30 })
    .map((line) => line.text)
    .join('\n');
  for (const part of [
    ...['bugtorrent 1.2.3  127.0.0.1:5000  up 1:01  ready', 'down 0 B/s  up 1.0 MiB/s', 'file 1'],
    ...['[####....]', '4 of 8 parts, 50%', '192.0.2.7:5000', '2.0 KiB/s  complete'],
    ...['SLOTS  1 of 4 in use, 2 requests waiting', 'slot: optimistic', 'waits 1:01 for 1 part'],
  ]) {
    assert.ok(text.includes(part), `${part} is not in\n${text}`);
  }
});

test('a frame has no more lines than the terminal, and always the selected file', () => {
  for (const rows of [12, 24, 60]) {
    for (const selected of [0, 7, 149]) {
      const frame = topFrame(snapshot(150), { columns: 80, rows }, idOf(selected));
      assert.ok(frame.length <= rows, `${frame.length} of ${rows}`);
      const marked = frame.filter(({ style }) => style === 'selected').map(({ text }) => text);
      assert.equal(marked.length, 1);
      assert.match(marked[0]!, new RegExp(`file ${selected}$`));
    }
  }
});

test('what is short is said in the frame, and a daemon without files has a frame, too', () => {
  const missing = [{ what: 'tracker', detail: 'the tracker cannot be reached' }];
  const none = { total: 0, offset: 0, limit: 200, files: [] };
  const bare = snapshot(0, { status: apiStatus({ ready: false, missing }), files: none, details: null });
  const frame = topFrame(bare, { columns: 80, rows: 24 });
  assert.deepEqual(
    frame.filter(({ style }) => style === 'warning').map(({ text }) => text),
    ['tracker: the tracker cannot be reached'],
  );
  assert.ok(frame.some(({ text }) => text === 'no files yet'));
});

test('the part map fits into any width: # all parts of a column are here, + some, . none', () => {
  const partMap = Buffer.from([0b1111_0100]).toString('base64');
  assert.equal(partBar({ partMap, partCount: 8 }, 80), '[####.#..]');
  assert.equal(partBar({ partMap, partCount: 8 }, 6), '[##+.]');
  assert.equal(partBar({ partMap, partCount: 8 }, 2), '');
  assert.equal(partBar({ partMap: '', partCount: 0 }, 80), '');
});

test('the selection moves by steps, stops at the ends and starts over when its file is gone', () => {
  const files = [0, 1, 2].map((i) => ({ md5: idOf(i) }));
  assert.equal(moveSelection(files, idOf(0), 1), idOf(1));
  assert.equal(moveSelection(files, idOf(2), 1), idOf(2));
  assert.equal(moveSelection(files, idOf(0), -1), idOf(0));
  assert.equal(moveSelection(files, idOf(9), 1), idOf(0));
  assert.equal(moveSelection([], idOf(0), 1), null);
});
