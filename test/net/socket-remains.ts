/** Run with --expose-gc as a process of its own: prints the bytes of old space that each socket leaves once sockets are warm. */
import { Socket } from 'node:net';
import { getHeapSpaceStatistics } from 'node:v8';
import { warmSockets } from '../../src/net/warm-sockets.js';

const SOCKETS = 1_000;

function oldSpace(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
}

warmSockets();
gc!();
const before = oldSpace();
for (let made = 0; made < SOCKETS; made += 1) new Socket({ allowHalfOpen: true });
console.log((oldSpace() - before) / SOCKETS);
