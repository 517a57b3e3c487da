/**
 * The other way to send a file: `node http-file-server.js FILE` serves it to any GET on a free loopback
 * port, which it prints. Reads of 256 KiB, as our parts are.
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

const path = process.argv[2]!;
const size = statSync(path).size;

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  pipeline(createReadStream(path, { highWaterMark: 262_144 }), response, (error) => {
    if (error) process.stderr.write(`http-file-server: ${error.message}\n`);
  });
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
