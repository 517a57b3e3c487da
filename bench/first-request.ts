/**
 * `node dist/bench/first-request.js [--runs N] [--json]`: seconds from the start of `get` to its first
 * request at the tracker.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { Program } from './lib/program.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
});

await inScratchFolder(async (folder) => {
  const program = new Program(folder);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tracker = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seconds: number[] = [];
  for (let i = 0; i < Number(values.runs); i += 1) {
    const request = firstBytes(once(server, 'connection'));
    const started = performance.now();
    const get = await program.start('get', ['get', '0'.repeat(32), '--tracker', tracker, '--json']);
    seconds.push(((await request) - started) / 1000);
    get.kill('SIGKILL');
    await get.exited;
  }
  server.close();
  const report = new Report('first-request', values.json);
  report.result('median', median(seconds), 's');
  report.result('worst', Math.max(...seconds), 's');
});

async function firstBytes(connection: Promise<unknown[]>): Promise<number> {
  const [socket] = (await connection) as [Socket];
  socket.on('error', () => socket.destroy());
  await once(socket, 'data');
  return performance.now();
}
