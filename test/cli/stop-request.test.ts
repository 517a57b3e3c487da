import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { StopRequest } from '../../src/cli/stop-request.js';

function fakeProcess() {
  const exits: number[] = [];
  const emitter = Object.assign(new EventEmitter(), { exit: (code: number) => exits.push(code) });
  return {
    process: emitter as unknown as NodeJS.Process,
    send: (signal: string) => emitter.emit(signal),
    exits,
  };
}

test('the first signal makes the request, the second ends the process at once', async () => {
  const { process, send, exits } = fakeProcess();
  const stop = new StopRequest();
  stop.listenTo(process);
  const made = stop.made();
  send('SIGTERM');
  await made;
  assert.equal(stop.reason, 'SIGTERM');
  assert.equal(stop.signal.aborted, true);
  assert.deepEqual(exits, []);
  send('SIGINT');
  assert.deepEqual(exits, [130]);
});

test('a signal after stdout was closed is the first one', () => {
  const { process, send, exits } = fakeProcess();
  const stop = new StopRequest();
  stop.listenTo(process);
  stop.make('stdout closed');
  send('SIGINT');
  assert.deepEqual(exits, []);
  send('SIGTERM');
  assert.deepEqual(exits, [143]);
});

test('a request made before anybody waits for it is not missed', async () => {
  const stop = new StopRequest();
  stop.make('SIGINT');
  stop.make('SIGTERM');
  await stop.made();
  assert.equal(stop.reason, 'SIGINT');
});
